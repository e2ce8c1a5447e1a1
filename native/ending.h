/* How a child process ended, also when somebody else traces it. */
#ifndef CARAFE_ENDING_H
#define CARAFE_ENDING_H

#include <stdbool.h>
#include <sys/types.h>

struct ending {
  int code;   /* 0 where a signal ended it */
  int signal; /* 0 where it left by itself */
};

/*
 * Whether the child has ended; never blocks. `pid` is its number in the /proc that the descriptor `proc` is of. A child
 * that waitid(2) answers for is reaped. One that another process traces with ptrace(2) is kept from its parent until
 * the tracer has waited for it, perhaps for ever: pidfd_open(2)'s descriptor polls readable and waitid has nothing. The
 * end of such a one is read from /proc/PID/stat (proc_pid_stat(5): state, exit_code), and it stays to be reaped by who
 * inherits it.
 */
bool ending_known(int proc, pid_t pid, int pidfd, struct ending *ending);

/* Waits until ending_known, at most for `millis`; false: it was not within them. */
bool ending_await(int proc, pid_t pid, int pidfd, int millis, struct ending *ending);

#endif
