/* Text without stdio: what a monitor prints are numbers, instants and names. The caller has checked that it fits. */
#ifndef CARAFE_TEXT_H
#define CARAFE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Each writes at `to` and answers where the text ends; none adds a NUL. */
char *text_put(char *to, const char *text);
char *text_number(char *to, uint64_t number);
/* Seconds with nine digits of fraction: 1763900000.000000001 */
char *text_seconds(char *to, const struct timespec *t);

enum { TEXT_RFC3339_BYTES = 40, TEXT_DAY_BYTES = 20 };

/* Prints instants; what does not change from one to the next is kept. Zeroed means nothing is kept. */
struct text_clock {
  int64_t second;
  char prefix[TEXT_DAY_BYTES]; /* 2025-11-23T12:13:20 */
};

/* Go's RFC3339Nano in UTC: 2025-11-23T12:13:20.5Z, fraction without trailing zeros. */
char *text_rfc3339(struct text_clock *clock, char *to, const struct timespec *t);

#endif
