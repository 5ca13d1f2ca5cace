/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A stranger that does not mean well: sends random datagrams, and mutated
 * ones of a capture (pcap of Ethernet, as of tcpdump -w), to one UDP port.
 * usage: udp_mutate address port capture seconds seed
 * The same seed gives the same datagrams in the same order.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES		4096
#define SOCKETS		8	/* as many source ports */
#define DATAGRAM	1500
#define BURST		32	/* datagrams between two pauses */
#define PAUSE		2000	/* microseconds */

struct sample {
	size_t		 s_len;
	uint8_t		 s_data[DATAGRAM];
};

static size_t		 datagram(uint8_t *);
static uint32_t		 draw(uint32_t);
static void		 load(const char *);
static void		 load_ip(const uint8_t *, size_t);
static void		 mutate(uint8_t *, size_t *);

static struct sample	*samples;
static size_t		 nsamples;
static uint64_t		 state;

int
main(int argc, char *argv[])
{
	struct addrinfo	 hints, *res;
	uint8_t		 buf[DATAGRAM];
	uint64_t	 sent = 0;
	time_t		 end;
	size_t		 len;
	int		 error, fd[SOCKETS], i;

	if (argc != 6)
		errx(1, "usage: udp_mutate address port capture seconds seed");
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_NUMERICHOST;
	if ((error = getaddrinfo(argv[1], argv[2], &hints, &res)) != 0)
		errx(1, "%s: %s", argv[1], gai_strerror(error));
	load(argv[3]);
	end = time(NULL) + atoi(argv[4]);
	state = strtoull(argv[5], NULL, 10) * 2862933555777941757ULL + 1;
	for (i = 0; i < SOCKETS; i++)
		if ((fd[i] = socket(res->ai_family, SOCK_DGRAM, 0)) == -1)
			err(1, "socket");

	while (time(NULL) < end) {
		for (i = 0; i < BURST; i++, sent++) {
			len = datagram(buf);
			/* A full queue or a refusal is no reason to stop. */
			(void)sendto(fd[draw(SOCKETS)], buf, len, 0,
			    res->ai_addr, res->ai_addrlen);
		}
		usleep(PAUSE);
	}
	printf("%llu datagrams sent, from %zu samples, seed %s\n",
	    (unsigned long long)sent, nsamples, argv[5]);
	freeaddrinfo(res);
	free(samples);
	return (0);
}

/* A number below n. */
static uint32_t
draw(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((uint32_t)(state >> 16) % n);
}

static size_t
datagram(uint8_t *p)
{
	const struct sample	*s;
	size_t			 i, len;

	if (draw(8) == 0) {
		len = draw(DATAGRAM + 1);
		for (i = 0; i < len; i++)
			p[i] = (uint8_t)draw(256);
		return (len);
	}
	s = &samples[draw((uint32_t)nsamples)];
	len = s->s_len;
	memcpy(p, s->s_data, len);
	mutate(p, &len);
	return (len);
}

/* A few changes, most of them in the header and the first fields. */
static void
mutate(uint8_t *p, size_t *len)
{
	uint32_t	 n;
	size_t		 at;

	for (n = draw(6); n > 0 && *len > 0; n--) {
		at = draw((uint32_t)(draw(2) && *len > 64 ? 64 : *len));
		switch (draw(5)) {
		case 0:
			p[at] ^= (uint8_t)(1u << draw(8));
			break;
		case 1:
			p[at] = (uint8_t)draw(256);
			break;
		case 2:
			p[at] = draw(2) ? 0xff : 0x00;
			break;
		case 3:			/* cut */
			*len = at;
			break;
		case 4:			/* a piece of another sample */
			memcpy(p + at, samples[draw((uint32_t)nsamples)].s_data
			    + at, (*len - at) / 2);
			break;
		}
	}
}

/* pcap: a header of 24 bytes, then records of 16 bytes and the frame. */
static void
load(const char *path)
{
	static uint8_t	 frame[65536];
	uint32_t	 head[6], rec[4];
	FILE		*f;

	if ((samples = calloc(SAMPLES, sizeof(*samples))) == NULL)
		err(1, NULL);
	if ((f = fopen(path, "rb")) == NULL)
		err(1, "%s", path);
	if (fread(head, sizeof(head), 1, f) != 1 || head[0] != 0xa1b2c3d4 ||
	    head[5] != 1)
		errx(1, "%s: not a capture of Ethernet", path);
	while (nsamples < SAMPLES && fread(rec, sizeof(rec), 1, f) == 1) {
		if (rec[2] > sizeof(frame) || fread(frame, 1, rec[2], f) !=
		    rec[2])
			break;
		if (rec[2] > 14 && frame[12] == 0x08 && frame[13] == 0x00)
			load_ip(frame + 14, rec[2] - 14);
	}
	fclose(f);
	if (nsamples == 0)
		errx(1, "%s: no UDP in it", path);
}

static void
load_ip(const uint8_t *p, size_t len)
{
	size_t	 ihl;

	if (len < 20 || p[9] != IPPROTO_UDP)
		return;
	ihl = (size_t)(p[0] & 15) * 4;
	if (len <= ihl + 8 || len - ihl - 8 > DATAGRAM)
		return;
	samples[nsamples].s_len = len - ihl - 8;
	memcpy(samples[nsamples].s_data, p + ihl + 8, len - ihl - 8);
	nsamples++;
}
