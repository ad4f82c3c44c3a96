// The C side of bench/recv.ts: the cost of recv() on a bad descriptor, in nanoseconds a call, the median of 9 rounds.
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

int main(void) {
  static char buf[65536];
  double rounds[9];
  for (int r = 0; r < 9; r++) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 300000; i++) recv(-1, buf, sizeof buf, 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    rounds[r] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / 300000;
  }
  qsort(rounds, 9, sizeof *rounds, ascending);
  printf("%.1f\n", rounds[4]);
  return 0;
}
