/* The kernel's command line, on which the host says what kind of VM this is. */
#ifndef UNBOXED_INIT_CMDLINE_H
#define UNBOXED_INIT_CMDLINE_H

#define CMDLINE_MAX 4096

/* Reads the command line into line. Returns what follows word there, or NULL when word does not
 * occur. */
char *cmdline_after(const char *word, char line[CMDLINE_MAX]);

#endif
