// SPDX-License-Identifier: Apache-2.0
/* Fires the probes once for each line that it reads, and answers with the semaphore. */
#include <stdio.h>

int fire(int number);

int main(void)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		printf("%d\n", fire(-7));
		fflush(stdout);
	}
	return 0;
}
