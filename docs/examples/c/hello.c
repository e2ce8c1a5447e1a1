#include <stdio.h>

int main(int count, char **words) {
  return printf("Hello, %s!\n", count > 1 ? words[1] : "nobody") < 0;
}
