/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A terminal for what is shown live: taken over, drawn anew, and given back
 * however the program ends, by a signal too.
 */

#ifndef ZTCTL_TERM_H
#define ZTCTL_TERM_H

#include <stdbool.h>

/*
 * Take over the terminal that is standard input and output: its other
 * screen, no echo, keys as they are pressed.  Returns 0, or -1 with errno;
 * false from term_is() says that there is none.
 */
bool	 term_is(void);
int	 term_begin(void);
/* Give it back as it was; harmless when it was not taken. */
void	 term_end(void);
/* Its size in characters now; 80 and 24 when it does not tell. */
void	 term_size(unsigned *columns, unsigned *rows);
/*
 * Draw this text, a line after the other, each cut to the width and no more
 * of them than there is room for.  It must be printable ASCII and '\n'.
 */
void	 term_draw(const char *text);
/*
 * Wait for ms milliseconds or a key.  Returns the key, 0 when none was
 * pressed, or -1 when the terminal is gone; sooner with 0 when it has another
 * size or is shown again.
 */
int	 term_key(int ms);

#endif /* ZTCTL_TERM_H */
