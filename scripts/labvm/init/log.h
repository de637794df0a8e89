/* What PID 1 reports. */
#ifndef UNBOXED_INIT_LOG_H
#define UNBOXED_INIT_LOG_H

/* Writes one line to the kernel's log. It appears on the console, whose end the host shows when the
 * VM fails. %m is the reason of the call that failed last. */
__attribute__((format(printf, 1, 2))) void log_error(const char *format, ...);

#endif
