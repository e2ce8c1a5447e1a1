/*
 * The record of how a process ended, as a file that outlives everyone: one line of words, see ExitRecord in Java. It
 * is written and renamed before anybody is told, so whoever survives finds it whole; it is made durable right after,
 * because a disk takes longer for that than a whole container does. Only a power cut in between can leave an empty
 * file, and then nobody needs to learn that the process is dead.
 */
#ifndef CARAFE_EXIT_H
#define CARAFE_EXIT_H

#include "tape.h"

/* Writes `name` in `directory` under a temporary name and renames it. The descriptor for exit_sync, or -errno. */
int exit_write(int directory, const char *name, const struct tape_exit *record);

/* Makes it durable and closes it. */
void exit_sync(int directory, int file);

#endif
