/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Turn test vectors into a fuzzer's first inputs: every string of
 * hexadecimal digits in the JSON files becomes a file of its bytes.
 * usage: seeds [-r] folder file.json ...
 * -r: each as a record of the engine's fuzzer, sealed and raw.
 */

#include <ctype.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#define DIGITS_MIN	20
#define BYTES_MAX	16384

static unsigned		 count;
static const char	*folder;
static int		 records;

static void
write_file(const unsigned char *head, size_t headlen,
    const unsigned char *bytes, size_t n)
{
	char	 path[1024];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%05u", folder, count++);
	if ((f = fopen(path, "wb")) == NULL)
		err(1, "%s", path);
	if (fwrite(head, 1, headlen, f) != headlen ||
	    fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		err(1, "%s", path);
}

static void
write_seed(const char *text, size_t digits)
{
	static const unsigned char	 kinds[] = { 0x00, 0x01, 0x11, 0x20 };
	static unsigned char		 bytes[BYTES_MAX];
	unsigned char			 head[3];
	char				 pair[3] = "";
	size_t				 i, n = digits / 2;

	if (n > sizeof(bytes))
		n = sizeof(bytes);
	for (i = 0; i < n; i++) {
		memcpy(pair, text + 2 * i, 2);
		bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	if (!records) {
		write_file(head, 0, bytes, n);
		return;
	}
	for (i = 0; i < sizeof(kinds); i++) {
		head[0] = kinds[i];
		head[1] = (unsigned char)(n >> 8);
		head[2] = (unsigned char)n;
		write_file(head, sizeof(head), bytes, n);
	}
}

static void
walk_string(const char *s)
{
	size_t	 digits;

	for (digits = 0; isxdigit((unsigned char)s[digits]); digits++)
		;
	if (s[digits] == '\0' && digits % 2 == 0 && digits >= DIGITS_MIN)
		write_seed(s, digits);
}

static void
walk(json_t *v)
{
	const char	*key;
	json_t		*sub;
	size_t		 i;

	if (json_is_string(v))
		walk_string(json_string_value(v));
	json_array_foreach(v, i, sub)
		walk(sub);
	json_object_foreach(v, key, sub)
		walk(sub);
}

int
main(int argc, char *argv[])
{
	json_error_t	 error;
	json_t		*root;
	int		 i;

	while ((i = getopt(argc, argv, "r")) != -1) {
		if (i != 'r')
			return (1);
		records = 1;
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		errx(1, "usage: seeds [-r] folder file.json ...");
	folder = argv[0];
	for (i = 1; i < argc; i++) {
		root = json_load_file(argv[i],
		    JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
		if (root == NULL)
			errx(1, "%s:%d: %s", argv[i], error.line, error.text);
		walk(root);
		json_decref(root);
	}
	if (count == 0)
		errx(1, "no seeds found");
	return (0);
}
