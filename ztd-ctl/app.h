/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The files of the app folder.  Spec: 05 section 9.2.
 */

#ifndef ZTD_CTL_APP_H
#define ZTD_CTL_APP_H

#include <stdbool.h>

struct request;

/*
 * Serve what is below this folder; called before the process is confined.
 * caged: the folder will be the root of all files, so that a link cannot
 * lead out of it; else none is followed.
 */
void	 app_open(const char *folder, bool caged);
/* GET or HEAD of /app or a path below. */
void	 api_app(struct request *);

#endif /* ZTD_CTL_APP_H */
