/* The record of how a process ended, as a file that outlives everyone: one line of words, see ExitRecord in Java. */
#ifndef CARAFE_EXIT_H
#define CARAFE_EXIT_H

#include "tape.h"

/* Writes `name` in `directory`: temporary file, fsync, rename, fsync of the directory. 0 or -errno. */
int exit_write(int directory, const char *name, const struct tape_exit *record);

#endif
