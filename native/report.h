/* Answers to the daemon over the link. */
#ifndef CARAFE_REPORT_H
#define CARAFE_REPORT_H

#include <stddef.h>

#include "tape.h"

/* Sends `report`, `bytes` of `extra` and, if >= 0, the descriptor `fd` as one message. `flags` as for sendmsg(2). */
int report_send(int socket, const struct tape_report *report, const void *extra, size_t bytes, int fd, int flags);

#endif
