/* What a machine has only on demand: swap, a block device. */
#ifndef UNBOXED_INIT_PROVIDE_H
#define UNBOXED_INIT_PROVIDE_H

/* Makes what lab.provide=WORD,WORD on the kernel's command line asks for. */
void provide_on_demand(void);

#endif
