/*
 * What vm-client (on the host) and /init (in the lab VM) say to each other.
 *
 * One connection to one virtio-serial port is one session: one command, its streams and its
 * status. A frame is a struct wire_head and then len bytes. Both ends run on the same kind of
 * machine (the guest is the host's architecture), so integers travel as they are.
 *
 * The client opens with WIRE_SYNC and 16 random bytes and throws away what comes until it reads
 * them back: so nothing that an earlier client left half-read in the port can be mistaken for an
 * answer. The client that owns the VM then says WIRE_BEGIN, once. Before it the guest has drawn no
 * boot id and run no command, so a VM that was saved before it can be restored any number
 * of times. Then: WIRE_REQUEST (in pieces), WIRE_START; streams; WIRE_EXIT. After it another
 * WIRE_REQUEST may follow, or, from the client that owns the VM, WIRE_QUIT.
 */
#ifndef UNBOXED_WIRE_H
#define UNBOXED_WIRE_H

#include <stdint.h>

enum {
	/* to the guest */
	WIRE_SYNC = 1, /* 16 random bytes */
	WIRE_REQUEST,  /* the next piece of the request, see below */
	WIRE_START,    /* the request is complete: run it */
	WIRE_STDIN,    /* bytes for the command's stdin; never more than credit was given for */
	WIRE_STDIN_END,
	WIRE_WINSIZE, /* uint16_t rows, cols */
	WIRE_SIGNAL,  /* uint8_t: for the foreground process group */
	WIRE_CLOSED,  /* uint8_t 1 or 2: nobody reads that stream any more */
	WIRE_QUIT,    /* end the VM */
	WIRE_BEGIN,   /* struct wire_begin: what only the host knows */

	/* to the host */
	WIRE_SYNCED = 64, /* the 16 bytes, once more */
	WIRE_CREDIT,      /* uint32_t: so many more bytes of stdin may come */
	WIRE_STDOUT,
	WIRE_STDERR,
	WIRE_TTY,   /* output of the terminal */
	WIRE_EXIT,  /* decimal text: exit status, or 128 + signal */
	WIRE_BEGUN, /* text: what the machine was asked for and has not; none: it has all */
	WIRE_UNFIT, /* it could not take the time or the random bytes, or renew its labs */
	WIRE_BYE,   /* the last word: the VM ends when the client has hung up */
};

struct wire_head {
	uint32_t type;
	uint32_t len;
};

struct wire_begin {
	int64_t labs_changed;         /* the disk with the labs is another one than at the boot */
	int64_t seconds, nanoseconds; /* of CLOCK_REALTIME */
	uint8_t seed[64];             /* for the kernel's random numbers */
};

/*
 * The request is strings, each with its NUL:
 *	three letters, one for each of fd 0, 1, 2: t terminal, p pipe, c closed
 *	"1" when the guest's terminal is to echo and to turn \n into \r\n, "0" when the host's does
 *	rows, cols, working directory, argc, then the arguments, then the environment
 * argc 0 asks for a login shell.
 */

/*
 * virtio_console takes at most 32 kB in one write and a write is all or nothing; a frame that fits
 * can never be torn.
 */
#define WIRE_FRAME 32768
#define WIRE_DATA (WIRE_FRAME - sizeof(struct wire_head))

/* Stdin is bounded by credit, so that signals and window sizes never wait behind it. */
#define WIRE_CREDIT_START (128 * 1024)

#define WIRE_NONCE 16
#define WIRE_REQUEST_MAX (1024 * 1024)

/* Port N of the machine is /dev/vport0p(N+1) in the guest and the socket RUN/N on the host. */
#define WIRE_PORTS 8

/*
 * isa-debug-exit turns the byte b into QEMU's own exit status (b << 1) | 1. This one gives 85,
 * which is neither an error of QEMU's (1) nor what timeout(1) or a shell says of a killed process
 * (124, 137).
 */
#define WIRE_EXIT_PORT 0xf4
#define WIRE_EXIT_BYTE 42
#define WIRE_EXIT_STATUS 85

#endif
