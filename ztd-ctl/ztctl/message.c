/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * message send, message list: what users of two nodes say to each other.
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "ztd-ctl/ztctl/ztctl.h"

static int	 usage(void);
static int	 message_send(const struct conn *, char **);
static int	 message_list(const struct conn *, const char *);
static void	 print_message(json_t *);
static bool	 print_text(const char *);
static bool	 decimal(const char *, unsigned long long *);

int
cmd_message(const struct conn *cn, int argc, char **argv)
{
	unsigned long long	 n;
	uint64_t		 addr;

	if (argc == 5 && strcmp(argv[1], "send") == 0 &&
	    hex_parse(argv[2], 10, &addr) == 0 && decimal(argv[3], &n))
		return (message_send(cn, argv + 2));
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return (message_list(cn, "0"));
	if (argc == 3 && strcmp(argv[1], "list") == 0 && decimal(argv[2], &n))
		return (message_list(cn, argv[2]));
	return (usage());
}

static int
usage(void)
{
	(void)fprintf(stderr, "usage: message send <address> <type> <text>\n"
	    "       message list [<after>]\n");
	return (2);
}

static bool
decimal(const char *s, unsigned long long *n)
{
	char	*end;

	errno = 0;
	*n = strtoull(s, &end, 10);
	return (*s >= '0' && *s <= '9' && *end == '\0' && errno == 0);
}

/* address, type, text */
static int
message_send(const struct conn *cn, char **words)
{
	struct reply	 rp;
	char		*hex, *body, path[40];
	size_t		 len = strlen(words[2]);
	int		 rv = 0;

	if ((hex = malloc(2 * len + 1)) == NULL)
		return (1);
	hex_encode(hex, words[2], len);
	if (asprintf(&body, "{\"type\":\"%s\",\"data\":\"%s\"}", words[1],
	    hex) == -1) {
		free(hex);
		return (1);
	}
	(void)snprintf(path, sizeof(path), "/ztd/message/%.10s", words[0]);
	if (http_request(cn, "POST", path, body, &rp) != 200)
		rv = fail_status("message", &rp);
	else if (cn->cn_json)
		print_raw(&rp);
	else
		(void)printf("200 message OK\n");
	reply_clear(&rp);
	free(body);
	free(hex);
	return (rv);
}

static int
message_list(const struct conn *cn, const char *after)
{
	json_t	*v, *message;
	char	 path[64];
	size_t	 i;
	int	 rv;

	(void)snprintf(path, sizeof(path), "/ztd/message?after=%.20s", after);
	if ((v = get_list(cn, "message", path, &rv)) == NULL)
		return (rv);
	(void)printf("200 message <seq> <from> <type> <time> <text or "
	    "hex>\n");
	json_array_foreach(v, i, message)
		print_message(message);
	json_decref(v);
	return (0);
}

static void
print_message(json_t *v)
{
	json_t		*type = json_object_get(v, "type");
	const char	*data = text_of(v, "data");

	(void)printf("200 message %lld %s ", (long long)int_of(v, "seq"),
	    shown_of(v, "from"));
	if (json_is_integer(type))
		(void)printf("%lld", (long long)json_integer_value(type));
	else
		(void)printf("%s", shown_of(v, "type"));
	(void)printf(" %lld ", (long long)int_of(v, "time"));
	if (!print_text(data))
		(void)printf("%s", data[strspn(data, "0123456789abcdef")] ==
		    '\0' ? data : "?");
	(void)printf("\n");
}

/* In quotation marks, when all of it is printable ASCII. */
static bool
print_text(const char *hex)
{
	char	*text;
	size_t	 i, len = strlen(hex) / 2;
	bool	 good;

	if ((text = malloc(len + 1)) == NULL)
		return (false);
	good = len > 0 && strlen(hex) % 2 == 0 &&
	    hex_decode(text, hex, len) == 0;
	for (i = 0; good && i < len; i++)
		good = text[i] >= ' ' && text[i] <= '~' && text[i] != '"';
	if (good)
		(void)printf("\"%.*s\"", (int)len, text);
	free(text);
	return (good);
}
