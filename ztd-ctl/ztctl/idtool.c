/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities on the command line: generate, validate, getpublic, sign,
 * verify.  Spec: 01 section 18.2, 05 section 14.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/hex.h"
#include "common/identity.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define IDENTITY_FILE	4096
#define SIGNED_MAX	(1024 * 1024 * 1024)
#define LITERAL_MIN	33
#define VANITY_DIGITS	10

static int	 generate(int, char **);
static int	 generate_vanity(struct identity *, const char *);
static int	 write_key(const char *, const char *, mode_t);
static int	 validate(const char *);
static int	 getpublic(const char *);
static int	 sign(const char *, const char *);
static int	 verify(const char *, const char *, const char *);
static bool	 signature_get(const char *, uint8_t[SIGNATURE_LEN]);
static bool	 signature_parse(const char *, uint8_t[SIGNATURE_LEN]);
static enum identity_error parse_lenient(struct identity *, char *);
static int	 read_or_complain(const char *, struct identity *);
static char	*message_read(const char *, size_t *);

int
tool_identity(int argc, char **argv, void (*usage)(FILE *))
{
	if (strcmp(argv[0], "generate") == 0)
		return (generate(argc, argv));
	if (strcmp(argv[0], "validate") == 0 && argc >= 2)
		return (validate(argv[1]));
	if (strcmp(argv[0], "getpublic") == 0 && argc >= 2)
		return (getpublic(argv[1]));
	if (strcmp(argv[0], "sign") == 0 && argc >= 3)
		return (sign(argv[1], argv[2]));
	if (strcmp(argv[0], "verify") == 0 && argc >= 4)
		return (verify(argv[1], argv[2], argv[3]));
	usage(stdout);
	return (1);
}

int
tool_identity_read(const char *arg, struct identity *id)
{
	char	*text;
	size_t	 len;
	int	 rv;

	if (strlen(arg) >= LITERAL_MIN && arg[10] == ':')
		text = strdup(arg);
	else
		text = file_read(AT_FDCWD, arg, IDENTITY_FILE, &len);
	if (text == NULL)
		return (-1);
	rv = parse_lenient(id, text) == IDENTITY_OK ? 0 : -1;
	explicit_bzero(text, strlen(text));
	free(text);
	return (rv);
}

/*
 * As the node's own parser, but surplus after a complete last key is let
 * pass, as the tool has always done.
 */
static enum identity_error
parse_lenient(struct identity *id, char *text)
{
	char	*p, *colon;
	size_t	 n, fields = 0;

	p = text + strspn(text, " \t\r\n");
	for (colon = p; (colon = strchr(colon, ':')) != NULL; colon++)
		fields++;
	n = strcspn(p, "\r\n");
	if (fields == 2 && n > IDENTITY_TEXT_PUBLIC - 1)
		n = IDENTITY_TEXT_PUBLIC - 1;
	if (fields == 3 && n > IDENTITY_TEXT_SECRET - 1)
		n = IDENTITY_TEXT_SECRET - 1;
	return (identity_parse(id, p, n));
}

static int
read_or_complain(const char *arg, struct identity *id)
{
	if (tool_identity_read(arg, id) == 0)
		return (0);
	(void)fprintf(stderr, "Identity argument invalid or file unreadable: "
	    "%s\n", arg);
	return (-1);
}

/* ---- generate ---------------------------------------------------- */

static int
generate(int argc, char **argv)
{
	struct identity	 id;
	char		 secret[IDENTITY_TEXT_SECRET];
	char		 public[IDENTITY_TEXT_PUBLIC];
	int		 rv = 0;

	if (generate_vanity(&id, argc >= 4 ? argv[3] : "") == -1)
		return (1);
	(void)identity_format(secret, &id, true);
	(void)identity_format(public, &id, false);
	if (argc < 2)
		(void)printf("%s", secret);
	else if (write_key(argv[1], secret, 0600) == -1)
		rv = 1;
	else if (argc >= 3 && write_key(argv[2], public, 0644) == -1)
		rv = 1;
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(&id, sizeof(id));
	return (rv);
}

/* Again and again until the address begins with these hex digits. */
static int
generate_vanity(struct identity *id, const char *prefix)
{
	uint64_t	 want = 0;
	unsigned	 bits;
	size_t		 n;
	char		 digits[VANITY_DIGITS + 1], addr[ADDR_TEXT];

	n = strlen(prefix);
	if (n > VANITY_DIGITS)
		n = VANITY_DIGITS;
	(void)memset(digits, '0', VANITY_DIGITS);
	digits[VANITY_DIGITS] = '\0';
	memcpy(digits, prefix, n);
	if (hex_parse(digits, VANITY_DIGITS, &want) == -1) {
		(void)fprintf(stderr, "vanity address: not hex digits: %s\n",
		    prefix);
		return (-1);
	}
	bits = (unsigned)n * 4;
	for (;;) {
		if (identity_generate(id) == -1) {
			(void)fprintf(stderr, "out of memory\n");
			return (-1);
		}
		if (bits == 0)
			return (0);
		(void)addr_format(addr, id->id_addr);
		if (id->id_addr >> (40 - bits) == want >> (40 - bits)) {
			(void)fprintf(stderr,
			    "vanity address: found %s !\n", addr);
			return (0);
		}
		(void)fprintf(stderr, "vanity address: tried %s looking for "
		    "first %u bits of %s\n", addr, bits, digits);
	}
}

/* A secret cannot be made again: what is there is never overwritten. */
static int
write_key(const char *path, const char *text, mode_t mode)
{
	if (mode == 0600 && access(path, F_OK) == 0) {
		(void)fprintf(stderr, "Error writing to %s: it exists\n",
		    path);
		return (-1);
	}
	if (file_write(AT_FDCWD, path, text, strlen(text), mode, (uid_t)-1,
	    (gid_t)-1) == -1) {
		(void)fprintf(stderr, "Error writing to %s\n", path);
		return (-1);
	}
	(void)printf("%s written\n", path);
	return (0);
}

/* ---- the others -------------------------------------------------- */

static int
validate(const char *arg)
{
	struct identity	 id;
	bool		 ok;

	if (read_or_complain(arg, &id) == -1)
		return (1);
	ok = identity_valid(&id);
	explicit_bzero(&id, sizeof(id));
	if (!ok) {
		(void)fprintf(stderr, "%s FAILED validation.\n", arg);
		return (1);
	}
	(void)printf("%s is a valid identity\n", arg);
	return (0);
}

static int
getpublic(const char *arg)
{
	struct identity	 id;
	char		 text[IDENTITY_TEXT_PUBLIC];

	if (read_or_complain(arg, &id) == -1)
		return (1);
	(void)printf("%s", identity_format(text, &id, false));
	explicit_bzero(&id, sizeof(id));
	return (0);
}

static int
sign(const char *arg, const char *file)
{
	struct identity	 id;
	uint8_t		 sig[SIGNATURE_LEN];
	char		*msg, text[2 * SIGNATURE_LEN + 1];
	size_t		 len;
	int		 rv = 1;

	if (read_or_complain(arg, &id) == -1)
		return (1);
	if (!id.id_has_private)
		(void)fprintf(stderr, "%s does not contain a private key "
		    "(must use private to sign)\n", arg);
	else if ((msg = message_read(file, &len)) != NULL) {
		identity_sign(&id, msg, len, sig);
		hex_encode(text, sig, sizeof(sig));
		(void)printf("%s", text);
		free(msg);
		rv = 0;
	}
	explicit_bzero(&id, sizeof(id));
	return (rv);
}

static int
verify(const char *arg, const char *file, const char *signature)
{
	struct identity	 id;
	uint8_t		 sig[SIGNATURE_LEN];
	char		*msg;
	size_t		 len;
	bool		 ok;

	if (read_or_complain(arg, &id) == -1)
		return (1);
	explicit_bzero(id.id_private, sizeof(id.id_private));
	if ((msg = message_read(file, &len)) == NULL)
		return (1);
	ok = signature_get(signature, sig) &&
	    identity_verify(&id, msg, len, sig, sizeof(sig));
	free(msg);
	if (!ok) {
		(void)fprintf(stderr, "%s signature check FAILED\n", file);
		return (1);
	}
	(void)printf("%s signature valid\n", file);
	return (0);
}

static char *
message_read(const char *file, size_t *len)
{
	char	*msg;

	if ((msg = file_read(AT_FDCWD, file, SIGNED_MAX, len)) == NULL)
		(void)fprintf(stderr, "%s is not readable\n", file);
	return (msg);
}

/* Hex digits, or the name of a file that holds them. */
static bool
signature_get(const char *arg, uint8_t sig[SIGNATURE_LEN])
{
	char	*text;
	size_t	 len;
	bool	 ok;

	if (signature_parse(arg, sig))
		return (true);
	if ((text = file_read(AT_FDCWD, arg, IDENTITY_FILE, &len)) == NULL)
		return (false);
	ok = signature_parse(text + strspn(text, " \t\r\n"), sig);
	free(text);
	return (ok);
}

static bool
signature_parse(const char *text, uint8_t sig[SIGNATURE_LEN])
{
	const char	*rest;

	if (hex_decode(sig, text, SIGNATURE_LEN) == -1)
		return (false);
	rest = text + (size_t)2 * SIGNATURE_LEN;
	return (rest[strspn(rest, " \t\r\n")] == '\0');
}
