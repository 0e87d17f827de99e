// SPDX-License-Identifier: Apache-2.0
/* USDT probes with arguments of every kind, written as the notes that sys/sdt.h makes, which may not be installed. */

#define STRING(x) #x
/* A nop and its note: the addresses of the nop, of .stapsdt.base and of the semaphore, then three strings. */
#define PROBE(provider, name, semaphore, text, ...)                                                                    \
	__asm__ __volatile__("990: nop\n"                                                                              \
			     ".pushsection .note.stapsdt,\"\",\"note\"\n"                                              \
			     ".balign 4\n"                                                                             \
			     ".4byte 992f-991f, 994f-993f, 3\n"                                                        \
			     "991: .asciz \"stapsdt\"\n"                                                               \
			     "992: .balign 4\n"                                                                        \
			     "993: .8byte 990b\n"                                                                      \
			     ".8byte _.stapsdt.base\n"                                                                 \
			     ".8byte " STRING(semaphore) "\n"                                                          \
			     ".asciz \"" #provider "\"\n"                                                              \
			     ".asciz \"" #name "\"\n"                                                                  \
			     ".asciz \"" text "\"\n"                                                                   \
			     "994: .balign 4\n"                                                                        \
			     ".popsection\n"                                                                           \
			     ".ifndef _.stapsdt.base\n"                                                                \
			     ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                   \
			     ".weak _.stapsdt.base\n"                                                                  \
			     ".hidden _.stapsdt.base\n"                                                                \
			     "_.stapsdt.base: .space 1\n"                                                              \
			     ".size _.stapsdt.base, 1\n"                                                               \
			     ".popsection\n"                                                                           \
			     ".endif\n" ::__VA_ARGS__)

unsigned short skep_test_watched_semaphore __attribute__((section(".probes"), visibility("hidden"), used));

static volatile int global = 4242;
static const short shorts[] = { 1, 2, 3, -300 };
static const char text[] = "/some/path";
static const unsigned long longs[] = { 10, 20, 30 };

__attribute__((noinline)) static void kinds(int number, unsigned char byte, const char *text)
{
	volatile unsigned long stack = 0x1122334455667788;
	long index = 3;

#ifdef __aarch64__
	PROBE(skep_test, kinds, 0, "-4@%w0 -4@%1 8@%2 1@%w3 -1@%w3 -2@[%4, %5, lsl 1] -4@%6 8@%7", "r"(number), "i"(-9),
	      "m"(stack), "r"(byte), "r"(shorts), "r"(index), "m"(global), "r"(text));
#else
	PROBE(skep_test, kinds, 0, "-4@%0 -4@%1 8@%2 1@%3 -1@%3 -2@(%4,%5,2) -4@%6 8@%7", "r"(number), "i"(-9), "m"(stack),
	      "q"(byte), "r"(shorts), "r"(index), "m"(global), "r"(text));
#endif
}

/* Two places of one probe: a constant in one, a register in the other. */
__attribute__((noinline)) static void first(void)
{
	PROBE(skep_test, request, 0, "-4@%0", "i"(100));
}

__attribute__((noinline)) static void second(long value)
{
	PROBE(skep_test, request, 0, "-8@%0", "r"(value));
}

/* Fires every probe once and tells what the semaphore is. */
int fire(int number)
{
	int watched = *(volatile unsigned short *)&skep_test_watched_semaphore;

	/* A program that may not sleep reads only what is in memory: have these pages there. */
	(void)*(volatile const short *)shorts;
	(void)*(volatile const unsigned long *)longs;
	(void)*(volatile const char *)text;
	kinds(number, 200, text);
	first();
	second(11);
	if (watched)
		PROBE(skep_test, watched, skep_test_watched_semaphore, "8@%0", "m"(longs[2]));
	PROBE(skep_test, silent, 0, "");
	return watched;
}
