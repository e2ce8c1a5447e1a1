/* A monitor's second life: while the process runs, and until everybody has heard of its end. */
#ifndef CARAFE_MONITOR_H
#define CARAFE_MONITOR_H

#include <stdint.h>
#include <sys/types.h>

#include "player.h"

struct monitor;

/* Takes from the tape all that is needed later; to be called while the process still plays its part. */
struct monitor *monitor_prepare(const struct tape *tape, int reports, uint64_t id);

/* The program runs. Takes the pidfd, and the host's /proc. */
void monitor_started(struct monitor *monitor, pid_t pid, int pidfd, int proc);

_Noreturn void monitor_run(struct monitor *monitor);

#endif
