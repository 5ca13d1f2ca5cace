/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * As much of the D-Bus wire format as four calls and their answers take.
 * Pure functions over bytes: what is read comes from another process and is
 * not believed.  D-Bus Specification 0.38, "Message Protocol" and
 * "Authentication Protocol".
 *
 * What is written is little-endian on every machine, as a message may be;
 * what is read may be either.
 */

#ifndef ZTD_DNS_DBUS_H
#define ZTD_DNS_DBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define DBUS_HEAD	16	/* enough of a message to know its length */
#define DBUS_MAX	16384	/* longer ones are refused; the bus has 2^27 */
#define DBUS_NAME	256	/* names and signatures, with NUL */

enum dbus_type {
	DBUS_CALL = 1,
	DBUS_RETURN,
	DBUS_ERROR,
	DBUS_SIGNAL
};

/* Whose function is called, and with what. */
struct dbus_method {
	const char	*dm_service;
	const char	*dm_path;
	const char	*dm_interface;
	const char	*dm_name;
	const char	*dm_signature;	/* "" : no arguments */
};

/* A message that was read.  Points into the bytes it was made from. */
struct dbus_msg {
	uint8_t		 dm_type;	/* enum dbus_type, or one of later */
	bool		 dm_big;	/* byte order of dm_body */
	uint32_t	 dm_reply_serial;	/* 0: answers nothing */
	char		 dm_error[DBUS_NAME];
	char		 dm_signature[DBUS_NAME];
	struct rbuf	 dm_body;
};

/* An array being written: where its length is, and its first element. */
struct dbus_array {
	size_t		 da_length;
	size_t		 da_start;
};

/*
 * Values, padded to their alignment, which counts from the start of wb.  A
 * body begins aligned to 8, so it can be written by itself.  align is that
 * of an array's elements.
 */
void	 dbus_align(struct wbuf *wb, size_t align);
void	 dbus_put_u32(struct wbuf *wb, uint32_t);
void	 dbus_put_bool(struct wbuf *wb, bool);
void	 dbus_put_string(struct wbuf *wb, const char *);
struct dbus_array dbus_put_array(struct wbuf *wb, size_t align);
void	 dbus_end_array(struct wbuf *wb, const struct dbus_array *);

/*
 * A whole message that calls a method, which must not start its service.
 * wb is bad when it does not fit.
 */
void	 dbus_put_call(struct wbuf *wb, uint32_t serial,
	    const struct dbus_method *, const struct wbuf *body);

/* Length of the message that begins so; 0 when it is none, or too long. */
size_t	 dbus_length(const uint8_t head[DBUS_HEAD]);
/* A whole message of that length.  0, or -1 when it is malformed. */
int	 dbus_parse(struct dbus_msg *, const uint8_t *, size_t len);
/*
 * The first value in the body, which must have that type.  0 or -1.  The
 * string is cut to size and has only printable ASCII, '?' for the rest.
 */
int	 dbus_first_bool(const struct dbus_msg *, bool *);
int	 dbus_first_string(const struct dbus_msg *, char *dst, size_t size);

/*
 * "\0AUTH EXTERNAL 30\r\n": who we are, told by the socket.  dst has
 * DBUS_AUTH bytes; returns their number.
 */
#define DBUS_AUTH	64
size_t	 dbus_auth(char *dst, unsigned long uid);
#define DBUS_BEGIN	"BEGIN\r\n"
/*
 * What came in answer so far: 1 when we are welcome, 0 when more is to come,
 * -1 when we are not.  Nothing may be behind the answer.
 */
int	 dbus_auth_answer(const char *, size_t len);

#endif /* ZTD_DNS_DBUS_H */
