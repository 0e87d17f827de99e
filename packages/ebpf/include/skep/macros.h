/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef SKEP_MACROS_H
#define SKEP_MACROS_H

/* What the other headers build names with. Not for programs. */

#define SKEP_PASTE(a, b) a##b
#define SKEP_CONCAT(a, b) SKEP_PASTE(a, b)

/* How many arguments there are, 0 to 15. */
#define SKEP_SIXTEENTH(x, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, count, ...) count
#define SKEP_COUNT(...) SKEP_SIXTEENTH(0, ##__VA_ARGS__, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* The macro `name` for as many arguments as follow: SKEP_BY_COUNT(F_, a, b) is F_2. */
#define SKEP_BY_COUNT(name, ...) SKEP_CONCAT(name, SKEP_COUNT(__VA_ARGS__))

/* Statements in which warnings of one kind are off. */
#define SKEP_WITHOUT_WARNING(warning, ...)									\
	_Pragma("GCC diagnostic push") _Pragma(warning) __VA_ARGS__ _Pragma("GCC diagnostic pop")

#endif
