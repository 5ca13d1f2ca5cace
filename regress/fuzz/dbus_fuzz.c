/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: answers from the bus (ztd-dns/dbus.h).
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-dns/dbus.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
parse(const uint8_t *data, size_t size)
{
	struct dbus_msg	 dm;
	char		 text[64], small[1];
	size_t		 i;
	bool		 flag;

	if (dbus_parse(&dm, data, size) == -1)
		return;
	if (dbus_length(data) != size ||
	    memchr(dm.dm_error, '\0', DBUS_NAME) == NULL ||
	    memchr(dm.dm_signature, '\0', DBUS_NAME) == NULL)
		abort();
	(void)dbus_first_bool(&dm, &flag);
	if (dbus_first_string(&dm, text, sizeof(text)) == -1)
		return;
	for (i = 0; text[i] != '\0'; i++)
		if (i == sizeof(text) - 1 || text[i] < ' ' || text[i] > '~')
			abort();
	if (dbus_first_string(&dm, small, sizeof(small)) == -1 ||
	    small[0] != '\0')
		abort();
}

/* The length in its header is seldom right by chance. */
static void
parse_as_long(const uint8_t *data, size_t size)
{
	static uint8_t	 copy[DBUS_MAX];
	size_t		 fields, body;

	if (size < DBUS_HEAD || size > sizeof(copy))
		return;
	memcpy(copy, data, size);
	copy[0] = 'l';
	copy[3] = 1;
	fields = (copy[12] | copy[13] << 8) % (size - DBUS_HEAD + 1);
	fields -= fields % 8;
	body = size - DBUS_HEAD - fields;
	memset(copy + 4, 0, 4);
	memset(copy + 12, 0, 4);
	copy[4] = body & 0xff;
	copy[5] = (uint8_t)(body >> 8);
	copy[12] = fields & 0xff;
	copy[13] = (uint8_t)(fields >> 8);
	parse(copy, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size);
	parse_as_long(data, size);
	(void)dbus_auth_answer((const char *)data, size);
	return (0);
}
