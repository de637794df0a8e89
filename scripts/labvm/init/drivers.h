/* The kernel modules through which the guest reaches its devices. */
#ifndef UNBOXED_INIT_DRIVERS_H
#define UNBOXED_INIT_DRIVERS_H

/* Loads the modules in /boot and deletes them, because the memory that they take is the guest's. */
void drivers_load(void);

#endif
