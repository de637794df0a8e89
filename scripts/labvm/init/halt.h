/* The end of the VM. */
#ifndef UNBOXED_INIT_HALT_H
#define UNBOXED_INIT_HALT_H

/* Ends the VM in a way that QEMU's exit status tells from a panic or a reboot (wire.h). */
_Noreturn void halt_machine(void);

#endif
