/* QEMU's process: started with the devices that the guest talks through, watched, ended. */
#ifndef UNBOXED_CLIENT_QEMU_H
#define UNBOXED_CLIENT_QEMU_H

#include <stdbool.h>
#include <stddef.h>

struct machine {
	char **qemu; /* the program and its arguments */
	char **boot; /* more of them, for a boot alone: the kernel, its archive, its command line */
	int memory;  /* MiB */
	/* Descriptors of the disks, which the machine only reads: /usr, and the labs. -1: none. */
	int system, labs;
};

enum start { BOOT, BOOT_TO_SAVE, RESTORE };

/* Starts QEMU. memory: a descriptor of the file that is the guest's memory, or -1. */
void qemu_start(const struct machine *machine, enum start how, int memory);
/* A socket to QEMU's monitor; -1 after BOOT. */
int qemu_monitor(void);
/* Starts a process that writes data to fd, because QEMU reads when it likes. */
bool qemu_feed(int fd, const char *data, size_t size);
/* Notices when QEMU, or the process of qemu_feed(), has ended. */
void qemu_reap(void);
/* Whether QEMU runs, as far as qemu_reap() has noticed. */
bool qemu_runs(void);
/* The exit status of a QEMU that has ended, or 128 + signal. */
int qemu_status(void);
/* The signal that ended QEMU, as the host's OOM killer does, or 0. The guest has none to send. */
int qemu_signal(void);
/*
 * That status where the guest has ended by itself: by its exit port, or, where it has none, by
 * power-off, which only the goodbye tells from a reboot.
 */
int qemu_clean_status(void);
/* Ends QEMU and waits for its end. */
void qemu_kill(void);
/* While no command runs in the guest: lets signals end the client, and calls qemu_reap(). */
void qemu_attend(void);

#endif
