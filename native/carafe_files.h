/* What the engine asks of the command's files; carafe.h has the words. */
#ifndef CARAFE_FILES_H
#define CARAFE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "carafe.h"

/* Takes the bytes of a CARAFE_DONE; false: nobody wants them any more. */
typedef bool files_answer(const void *bytes, size_t length);

/* Does what the bytes of a CARAFE_FILE say and answers. Blocks as long as a file does. False: nobody listens any more. */
bool files_do(const uint8_t *wish, size_t length, files_answer *answer);

#endif
