/* Prints the frequency of this host's time stamp counter in kHz. The emulated processor has the same one. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Counter and nanoseconds at the same time: of many readings that which took the shortest. */
static void sample(uint64_t *ticks, uint64_t *ns)
{
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t before = now(), read = __builtin_ia32_rdtsc(), took = now() - before;

		if (took < shortest) {
			shortest = took;
			*ticks = read;
			*ns = before + took / 2;
		}
	}
}

int main(void)
{
	uint64_t ticks[2], ns[2];

	sample(&ticks[0], &ns[0]);
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	sample(&ticks[1], &ns[1]);
	printf("%llu\n", (unsigned long long)((ticks[1] - ticks[0]) * 1000000 / (ns[1] - ns[0])));
	return 0;
}
