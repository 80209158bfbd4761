// What a test binary may ask of the emulator; each argument names one thing to do.
#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((target("avx512f,avx512ifma"))) static unsigned long long multiply_add(unsigned long long a, unsigned long long b) {
  __m512i high = _mm512_madd52hi_epu64(_mm512_set1_epi64(1), _mm512_set1_epi64(a), _mm512_set1_epi64(b));
  return _mm512_reduce_add_epi64(high);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *take_turns(void *mine) {
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&lock);
    while (turn % 2 != *(int *)mine) pthread_cond_wait(&changed, &lock);
    turn++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void show_cpuid(void) {
  unsigned a, b, c, d;
  __cpuid_count(7, 0, a, b, c, d);
  printf("avx512: f %d dq %d bw %d vl %d ifma %d vbmi %d vnni %d\n", b >> 16 & 1, b >> 17 & 1, b >> 30 & 1, b >> 31 & 1, b >> 21 & 1,
         c >> 1 & 1, c >> 11 & 1);
}

static void show_turns(void) {
  pthread_t threads[2];
  int numbers[2] = {0, 1};
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, take_turns, &numbers[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  printf("turns: %d\n", turn);
}

static void show_wait(void) {
  struct timespec before, after;
  clock_gettime(CLOCK_REALTIME, &before);
  struct timespec until = {before.tv_sec, before.tv_nsec + 20000000};
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&lock);
  int answer = pthread_cond_timedwait(&changed, &lock, &until);
  clock_gettime(CLOCK_REALTIME, &after);
  double waited = after.tv_sec - before.tv_sec + (after.tv_nsec - before.tv_nsec) * 1e-9;
  printf("waited: %s, long enough %d\n", strerror(answer), waited >= 0.02);
}

static void show_memory(void) {
  // Larger than what the heap serves, given back, and taken again: it must be zero.
  for (int i = 0; i < 64; i++) {
    char *block = calloc(1, 100 << 20);
    if (!block || block[12345] || block[99 << 20]) exit(1);
    memset(block, 1, 100 << 20 >> (i > 0 ? 10 : 0));
    free(block);
  }
  for (int i = 0; i < 2; i++) {
    char *top = sbrk(1 << 20);
    if (top[12345]) exit(1);
    memset(top, 1, 1 << 20);
    sbrk(-(1 << 20));
  }
  char *grown = malloc(1 << 20);
  grown[(1 << 20) - 1] = 7;
  grown = realloc(grown, 50 << 20);
  printf("memory: %d\n", grown[(1 << 20) - 1]);
}

int main(int count, char **arguments) {
  for (int i = 1; i < count; i++) {
    const char *what = arguments[i];
    if (!strcmp(what, "cpuid")) show_cpuid();
    // floor(2^51 * 6 / 2^52) = 3, one more each, eight lanes.
    if (!strcmp(what, "ifma")) printf("ifma: %llu\n", multiply_add(1ull << 51, 6));
    if (!strcmp(what, "environment")) printf("environment: %s\n", getenv("PROBE") ? getenv("PROBE") : "none");
    if (!strcmp(what, "threads")) show_turns();
    if (!strcmp(what, "wait")) show_wait();
    if (!strcmp(what, "memory")) show_memory();
    if (!strcmp(what, "file")) printf("file: %d %d\n", access("tools/emulate/machine.py", R_OK), access("/proc/self/maps", R_OK));
    if (!strcmp(what, "fail")) return 3;
    if (!strcmp(what, "abort")) abort();
    if (!strcmp(what, "null")) return *(volatile int *)0;
    if (!strcmp(what, "undefined")) __builtin_trap();
    if (!strcmp(what, "unknown")) syscall(SYS_shmget, 0, 0, 0);
    if (!strcmp(what, "deadlock")) pthread_mutex_lock(&lock), pthread_mutex_lock(&lock);
  }
  return 0;
}
