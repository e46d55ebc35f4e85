/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include <errno.h>
#include <stddef.h>

#include "errname.h"

/* strerrorname_np() is of glibc only, and new there. */
#define ROW(symbol)                                                            \
	{                                                                      \
		symbol, #symbol                                                \
	}

static const struct {
	int error;
	const char *name;
} rows[] = {
	ROW(EACCES),
	ROW(EADDRINUSE),
	ROW(EADDRNOTAVAIL),
	ROW(EAFNOSUPPORT),
	ROW(EBADF),
	ROW(ECONNABORTED),
	ROW(ECONNREFUSED),
	ROW(ECONNRESET),
	ROW(EDQUOT),
	ROW(EFBIG),
	ROW(EHOSTDOWN),
	ROW(EHOSTUNREACH),
	ROW(EINTR),
	ROW(EINVAL),
	ROW(EIO),
	ROW(EISDIR),
	ROW(EMFILE),
	ROW(EMSGSIZE),
	ROW(ENETDOWN),
	ROW(ENETRESET),
	ROW(ENETUNREACH),
	ROW(ENFILE),
	ROW(ENOBUFS),
	ROW(ENODEV),
	ROW(ENOENT),
	ROW(ENOMEM),
	ROW(ENONET),
	ROW(ENOPROTOOPT),
	ROW(ENOSPC),
	ROW(ENOTCONN),
	ROW(ENOTDIR),
	ROW(EPERM),
	ROW(EPIPE),
	ROW(EPROTO),
	ROW(EPROTOTYPE),
	ROW(ETIMEDOUT),
};

const char *
errname(int error)
{
	if (error == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].name;
	return "unknown";
}
