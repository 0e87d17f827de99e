// SPDX-License-Identifier: Apache-2.0

// include/uapi/asm-generic/errno-base.h and errno.h, which x86-64 and arm64 share, and the two numbers that
// the kernel keeps to itself but lets bpf(2) return (include/linux/errno.h).
const table: Readonly<Record<string, readonly [number, string]>> = {
  EPERM: [1, "operation not permitted"],
  ENOENT: [2, "no such file or entry"],
  ESRCH: [3, "no such process"],
  EINTR: [4, "interrupted by a signal"],
  EIO: [5, "input/output error"],
  ENXIO: [6, "no such device or address"],
  E2BIG: [7, "argument list or structure too long"],
  ENOEXEC: [8, "not an executable"],
  EBADF: [9, "bad file descriptor"],
  ECHILD: [10, "no child process"],
  EAGAIN: [11, "try again"],
  ENOMEM: [12, "out of memory"],
  EACCES: [13, "permission denied"],
  EFAULT: [14, "bad address"],
  ENOTBLK: [15, "not a block device"],
  EBUSY: [16, "device or resource busy"],
  EEXIST: [17, "exists already"],
  EXDEV: [18, "crosses file systems"],
  ENODEV: [19, "no such device"],
  ENOTDIR: [20, "not a directory"],
  EISDIR: [21, "is a directory"],
  EINVAL: [22, "invalid argument"],
  ENFILE: [23, "too many open files in the system"],
  EMFILE: [24, "too many open files"],
  ENOTTY: [25, "inappropriate ioctl"],
  ETXTBSY: [26, "text file busy"],
  EFBIG: [27, "file too large"],
  ENOSPC: [28, "no space left"],
  ESPIPE: [29, "cannot seek"],
  EROFS: [30, "read-only file system"],
  EMLINK: [31, "too many links"],
  EPIPE: [32, "broken pipe"],
  EDOM: [33, "argument out of domain"],
  ERANGE: [34, "result too large"],
  EDEADLK: [35, "would deadlock"],
  ENAMETOOLONG: [36, "name too long"],
  ENOLCK: [37, "no locks available"],
  ENOSYS: [38, "no such system call"],
  ENOTEMPTY: [39, "directory not empty"],
  ELOOP: [40, "too many symbolic links"],
  ENOMSG: [42, "no message"],
  ENODATA: [61, "no data"],
  ETIME: [62, "timer expired"],
  EPROTO: [71, "protocol error"],
  EBADMSG: [74, "bad message"],
  EOVERFLOW: [75, "value too large"],
  EILSEQ: [84, "invalid byte sequence"],
  EUSERS: [87, "too many users"],
  ENOTSOCK: [88, "not a socket"],
  EDESTADDRREQ: [89, "destination address required"],
  EMSGSIZE: [90, "message too long"],
  EPROTOTYPE: [91, "wrong protocol for the socket"],
  ENOPROTOOPT: [92, "no such option"],
  EPROTONOSUPPORT: [93, "protocol not supported"],
  ESOCKTNOSUPPORT: [94, "socket type not supported"],
  EOPNOTSUPP: [95, "operation not supported"],
  EPFNOSUPPORT: [96, "protocol family not supported"],
  EAFNOSUPPORT: [97, "address family not supported"],
  EADDRINUSE: [98, "address in use"],
  EADDRNOTAVAIL: [99, "address not available"],
  ENETDOWN: [100, "network down"],
  ENETUNREACH: [101, "network unreachable"],
  ENETRESET: [102, "connection dropped by the network"],
  ECONNABORTED: [103, "connection aborted"],
  ECONNRESET: [104, "connection reset"],
  ENOBUFS: [105, "no buffer space"],
  EISCONN: [106, "already connected"],
  ENOTCONN: [107, "not connected"],
  ETIMEDOUT: [110, "timed out"],
  ECONNREFUSED: [111, "connection refused"],
  EHOSTDOWN: [112, "host down"],
  EHOSTUNREACH: [113, "host unreachable"],
  EALREADY: [114, "already in progress"],
  EINPROGRESS: [115, "in progress"],
  ESTALE: [116, "stale handle"],
  EDQUOT: [122, "quota exceeded"],
  ECANCELED: [125, "cancelled"],
  ENOKEY: [126, "required key not available"],
  EOWNERDEAD: [130, "owner died"],
  ENOTRECOVERABLE: [131, "state not recoverable"],
  ENOTSUPP: [524, "operation not supported by the kernel"],
};

const byNumber = new Map(Object.entries(table).map(([name, [number, text]]) => [number, { name, text }]));

/** The name of an errno, such as `EEXIST` for 17, or `errno 999` for a number that has none. */
export function errnoName(number: number): string {
  return byNumber.get(number)?.name ?? `errno ${number}`;
}

/** What an errno means in a few words; empty for a number that has no name. */
export function errnoText(number: number): string {
  return byNumber.get(number)?.text ?? "";
}

/** The number of an errno by name. The table covers what Linux returns on x86-64 and arm64. */
export function errnoNumber(name: string): number {
  const entry = table[name];
  if (entry === undefined) throw new RangeError(`no errno is called ${name}`);
  return entry[0];
}
