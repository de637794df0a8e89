/*
 * vm-client: the host's end of the lab VM. scripts/vm decides what the machine is; the client
 * starts QEMU, talks to the guest's /init (wire.h says how), and leaves nothing behind.
 *
 *	place.c     the run folder, and how everything ends
 *	terminal.c  the caller's descriptors and its terminal
 *	session.c   one command in the guest
 *	archive.c   what travels to the guest
 *	bring.c     what comes back
 *	machine.c   QEMU: started, asked, ended
 *	state.c     saved states of a machine
 *	main.c      the command line, and the order of it all
 */
#ifndef UNBOXED_CLIENT_H
#define UNBOXED_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <termios.h>

#include "../wire.h"

enum { STATUS_USAGE = 2, STATUS_VM = 125 };

#define RUN_MAX 80

/* Bytes that console.log and qemu.log in the run folder may each hold: what was said first. */
#define LOG_MAX (1 << 20)

/* ==== place.c ==== */

extern struct vm {
	char run[RUN_MAX]; /* the run folder; "" when there is none */
	char *unfinished;  /* the folder of a state that is being saved, or NULL */
	int alive;         /* the run folder's lock, held as long as the VM may run */
	pid_t qemu;        /* 0 when it has ended */
	int qemu_status;
	pid_t watcher;
	int watcher_pipe;
	pid_t feeder; /* writes a state to QEMU; 0 when it has ended */
	int signals;  /* signalfd */
	int port;     /* socket of the session */
	struct terminal {
		bool raw;
		struct termios found, set;
	} terminal; /* of fd 0 */
} vm;

/* Milliseconds on CLOCK_MONOTONIC. */
long long now_ms(void);
/* Ends what was started, waits until nothing of it is left, and exits. */
_Noreturn void end(int status);
/* One line on stderr, then end(). */
__attribute__((format(printf, 2, 3))) _Noreturn void die(int status, const char *format, ...);
/* The VM itself failed: a line with the reason, and what QEMU and the kernel said last. */
__attribute__((format(printf, 1, 2))) _Noreturn void die_vm(const char *format, ...);
/* With V=1, a line on stderr. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
/* malloc(3) that does not fail. */
void *need(void *memory);
void make_run_folder(void);
void remove_folder(const char *path);
/* Whether path is a folder of this user's that nobody else may enter. */
bool ours(const char *path);
/* False when the client that made the run folder has ended. */
bool is_alive(const char *run);
/* Calls each(path, data) for every run folder of this user. */
void each_run(void (*each)(const char *run, void *data), void *data);
/* A process that cleans up if this one is killed with SIGKILL. */
void start_watcher(void);
void take_signals(void);
/* The number of a signal that has arrived, or 0. */
int next_signal(void);
/* While there is no command to pass it to, a signal ends us. */
void handle_early_signals(void);
void kill_qemu(void);
void reap_qemu(void);
/* In a child, before exec: signals as they were. */
void in_child(void);
/* In a child that goes on with our code: away from the terminal, and ended when we are. */
void in_helper(void);

/* ==== terminal.c ==== */

/* The caller's end of a session: fd 0 to 2 and what each is (see the request in wire.h). */
struct ends {
	int fd[3];
	char mode[4];
	int tty; /* where terminal output goes */
	/* Stdin and output are both a terminal: the guest does all its processing. Otherwise others
	 * use it too, as a pager does at the end of our pipe, and they set its modes. */
	bool whole;
};

/* Looks at our own fd 0 to 2. Call it before anything else is opened. */
void own_ends(struct ends *ends);
void terminal_cooked(void);
/* Raw exactly while the terminal is ours to read: a background job leaves it alone. */
void update_terminal(const struct ends *ends);
/* Whether stdin may be read now: a terminal that we share is read by lines only. */
bool may_read(const struct ends *ends);

/* ==== session.c ==== */

/* Connects to a port and waits until the guest has sent our random bytes back, which is when it
 * listens. False when it has not within limit milliseconds, or when it has ended. */
bool synchronize(const char *run, int port, bool own, long long limit);
void close_port(void);
/* Tells a guest that was booted or restored what only the host knows: the time, random bytes, and
 * whether its disk with the labs is another one than at its boot. False when it does not answer
 * within limit milliseconds. */
bool begin(bool labs_changed, long long limit);
/* Runs one command in the guest. Its status, or -1 when the connection broke. */
int run_session(struct ends *ends, char *argv[]);
/* Ends the VM. Its run counts only when it said goodbye and QEMU's status says so too. */
void quit_vm(void);

/* ==== archive.c ==== */

enum travel { CARRY, ALSO };

/* Learns which names the guest has, from a list with a line "d NAME" or "f NAME" for each. */
void know_names(const char *list);
/* Adds path, a file or a folder, to what travels. With ALSO, what the guest has stays. */
void carry(const char *path, enum travel how);
/* A descriptor of the archive of all that was added, read from its start; -1 when nothing was. */
int carried_archive(void);

/* ==== bring.c ==== */

/* Copies path from the guest to the same place here. Tells what it leaves out. False when it is not
 * there then as it was in the guest. */
bool bring(const char *path);

/* ==== machine.c ==== */

struct machine {
	char **qemu; /* the program and its arguments */
	char **boot; /* more of them, for a boot alone: the kernel, its archive, its command line */
	int memory;  /* MiB */
	/* Disks, which the machine only reads: what is in /usr, and the labs. -1: there is none. */
	int system, labs;
};

enum start { BOOT, BOOT_TO_SAVE, RESTORE };

/* Starts QEMU. memory: a descriptor of the file that is its memory; -1: QEMU makes its own. */
void start_qemu(const struct machine *machine, enum start how, int memory);
/* Begins to talk to QEMU's monitor (QMP). False when it does not answer within limit milliseconds.
 */
bool qmp_open(long long limit);
/* What QEMU sends when it is told to migrate; NULL when it failed. Free it. *shared: its memory is
 * a file and is to be left out; false afterwards when this QEMU cannot. The machine is stopped
 * then. */
char *migrate_out(size_t *size, bool *shared, long long limit);
/* Lets the machine go on after migrate_out(), or without it. */
bool machine_goes_on(long long limit);
/* Restores the machine from what was sent. False when it did not run within limit milliseconds. */
bool migrate_in(const char *data, size_t size, bool shared, long long limit);

/* ==== state.c ==== */

struct state {
	char *states;      /* the folder that all states are in */
	char *folder;      /* its own in there, which need not be there yet */
	char *shape;       /* what the machine depends on, in words */
	int memory;        /* a descriptor of its memory's file; -1: its memory is in data */
	char *data;        /* what QEMU sent */
	size_t size;       /* of data */
	uint64_t sums[2];  /* of the memory and of data */
	uint64_t labs;     /* of what stat(2) says of the disk with the labs */
	bool labs_changed; /* it was another one when the state was saved */
	const char *doubt; /* why it could not be restored, or NULL */
};

/* Describes the machine: its words, and the files same[] up to a NULL, by what stat(2) says of
 * them. states is the folder that all states are in. */
void state_of(
	struct state *state, const char *states, const struct machine *machine, char *const same[]);
/* Opens it. False when there is none; one that is incomplete is thrown away. */
bool state_open(struct state *state);
/* Begins to compare the state's files with their checksums, in a process of its own, whose PID it
 * returns; state_verdict() waits for it. */
pid_t state_check(const struct state *state);
enum verdict { SOUND, DAMAGED, UNKNOWN };
enum verdict state_verdict(pid_t check);
/* Closes it, throws it away and, with V=1, says so. */
void state_drop(struct state *state, const char *reason);
/* Saves the machine that runs now, whose memory is the file of that descriptor (-1: it is QEMU's
 * own). False when that was not possible. The machine may be stopped afterwards. */
bool state_save(struct state *state, int memory);
/* A state that was saved and could not be restored: for a day this machine boots, and none is
 * saved. */
void state_give_up(const struct state *state);
bool state_given_up(const struct state *state);

#endif
