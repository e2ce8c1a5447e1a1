#include "text.h"

#include <string.h>

char *text_put(char *to, const char *text) {
  size_t n = strlen(text);
  memcpy(to, text, n);
  return to + n;
}

char *text_number(char *to, uint64_t number) {
  char digits[20];
  size_t n = 0;
  do {
    digits[n++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (n > 0) *to++ = digits[--n];
  return to;
}

static char *put_digits(char *to, uint32_t number, int digits) {
  for (int i = digits - 1; i >= 0; i--) {
    to[i] = (char)('0' + number % 10);
    number /= 10;
  }
  return to + digits;
}

char *text_seconds(char *to, const struct timespec *t) {
  to = text_number(to, (uint64_t)t->tv_sec);
  *to++ = '.';
  return put_digits(to, (uint32_t)t->tv_nsec, 9);
}

/* The civil date of a day since 1970-01-01, by Howard Hinnant's civil_from_days; eras are 400 years. */
static char *put_date(char *to, int64_t day) {
  day += 719468;
  int64_t era = (day >= 0 ? day : day - 146096) / 146097;
  uint32_t of_era = (uint32_t)(day - era * 146097);
  uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  uint32_t shifted = (5 * of_year + 2) / 153; /* months from March */
  uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  int64_t year = (int64_t)year_of_era + era * 400 + (month <= 2);
  to = put_digits(to, (uint32_t)year, 4);
  *to++ = '-';
  to = put_digits(to, month, 2);
  *to++ = '-';
  return put_digits(to, of_year - (153 * shifted + 2) / 5 + 1, 2);
}

static void put_second(char *to, int64_t second) {
  uint32_t of_day = (uint32_t)(second % 86400);
  to = put_date(to, second / 86400);
  *to++ = 'T';
  to = put_digits(to, of_day / 3600, 2);
  *to++ = ':';
  to = put_digits(to, of_day / 60 % 60, 2);
  *to++ = ':';
  put_digits(to, of_day % 60, 2);
}

char *text_rfc3339(struct text_clock *clock, char *to, const struct timespec *t) {
  if (clock->second != t->tv_sec || clock->prefix[0] == 0) {
    clock->second = t->tv_sec;
    put_second(clock->prefix, t->tv_sec < 0 ? 0 : t->tv_sec);
  }
  memcpy(to, clock->prefix, TEXT_DAY_BYTES - 1);
  to += TEXT_DAY_BYTES - 1;
  if (t->tv_nsec != 0) {
    *to++ = '.';
    to = put_digits(to, (uint32_t)t->tv_nsec, 9);
    while (to[-1] == '0') to--;
  }
  *to++ = 'Z';
  return to;
}
