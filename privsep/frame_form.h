/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Inside the frame channel: its forms, and which of the two between
 * processes a system uses.  Nobody but frame*.c (and their tests) includes
 * this.
 *
 * A record is, in those two and in host order, u16 tap, u16 flags (0), a
 * struct offload, then the frame.  The batch being filled holds records with
 * their length (u32, not counting itself) in front, which is what the stream
 * form sends.
 */

#ifndef PRIVSEP_FRAME_FORM_H
#define PRIVSEP_FRAME_FORM_H

#include <stdbool.h>

#include "privsep/frame.h"

#define RECORD_LEN	4		/* the length in front */
#define RECORD_HDR	(4 + sizeof(struct offload))	/* tap, flags */
#define RECORD_MIN	(RECORD_HDR + FRAME_HDR)
#define RECORD_MAX	(RECORD_HDR + FRAME_MAX)

/* Bytes of a batch: many ordinary frames, some super-frames. */
#define FRAME_OUT	(512 * 1024)

struct frame_channel;

struct frame_form {
	int	 ff_type;		/* of socket */
	/* Room for what is got.  Returns 0, or -1 when memory is short. */
	int	 (*ff_init)(struct frame_channel *);
	/* The form has a way of its own.  NULL: there is a batch, fc_out. */
	void	 (*ff_put)(struct frame_channel *, const struct offload *,
		    const void *, size_t, const void *, size_t);
	/* Send the batch, even none; drop what does not fit, empty it. */
	void	 (*ff_flush)(struct frame_channel *);
	/* frame_get(). */
	int	 (*ff_get)(struct frame_channel *, struct frame *);
	void	 (*ff_free)(struct frame_channel *);
};

struct frame_channel {
	const struct frame_form	*fc_form;
	int			 fc_fd;
	bool			 fc_gone;
	bool			 fc_more;	/* frame_more() */
	struct frame_stats	 fc_stats;

	bool			 fc_vnet;	/* tap only */
	uint16_t		 fc_tap;	/* tap only: its index */
	unsigned		 fc_ahead;	/* tap only: frames that are
						 * likely there, 0: unknown */

	/* The batch: fc_tail bytes of a frame begun earlier, then records. */
	uint8_t			*fc_out;	/* FRAME_OUT bytes */
	size_t			 fc_outlen;
	size_t			 fc_tail;	/* stream only */
	unsigned		 fc_nout;
	size_t			 fc_end[FRAME_BATCH];	/* offsets */

	uint8_t			*fc_in;
	size_t			 fc_inoff, fc_inlen;	/* stream only */
	void			*fc_private;	/* the form's own */
};

extern const struct frame_form frame_seqpacket, frame_stream;

/* frame_linux.c and so on: the form of this system ... */
const struct frame_form *frame_system_form(void);
/* ... and how it gives a socket its large buffers. */
void	 frame_system_buffers(int fd);

/* The public functions for a given form. */
int	 frame_pair_form(const struct frame_form *, int fds[2]);
struct frame_channel *frame_new_form(const struct frame_form *, int fd);

/*
 * Take a record of len bytes apart.  Returns false, counting a drop, when
 * it is none.
 */
bool	 frame_parse(struct frame_channel *, uint8_t *record, size_t len,
	    struct frame *);
/* Ask for buffers of size bytes, or the next half that is granted. */
void	 frame_buffers_halving(int fd, int size);
/* Errors that mean "full" or "nothing there", not "gone". */
bool	 frame_temporary(int error);

#endif /* PRIVSEP_FRAME_FORM_H */
