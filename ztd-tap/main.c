/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd, the parent: options, and the order of starting.
 * Spec: 05 sections 12.1 to 12.3, 06 section 12.1.
 *
 *   options - home folder - lock - identity, settings, tokens - owners of
 *   the files - port - daemon - children - sandbox
 */

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"
#include "privsep/frame.h"
#include "ztd-tap/daemon.h"
#include "ztd-tap/home.h"
#include "ztd-tap/idfile.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/local.h"
#include "ztd-tap/localconf.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/options.h"
#include "ztd-tap/parent.h"
#include "ztd-tap/policy_file.h"
#include "ztd-tap/supervise.h"
#include "ztd-tap/tap.h"
#include "ztd-tap/tokens.h"

#define DESCRIPTORS	(FRAME_TAPS + 1024)

static struct parent	 parent;
static unsigned		 bad_policies;

static void	 stdio_open(void);
static int	 check(struct parent *, const struct options *);
static void	 check_policy(struct parent *, uint64_t);
static void	 users_find(struct parent *, bool);
static void	 prepare(struct parent *, const struct options *);
static void	 descriptors(void);

int
main(int argc, char *argv[])
{
	struct parent	*p = &parent;
	struct options	 o;
	char		 error[256];

	stdio_open();
	(void)umask(022);
	if (options_parse(&o, argc, argv, error, sizeof(error)) == -1) {
		fprintf(stderr, "%s: %s\n%s\n", o.o_compat ? "zerotier-one" :
		    ZTD_NAME, error, options_usage(&o));
		return (1);
	}
	switch (o.o_do) {
	case OPTIONS_HELP:
		printf("%s\n", options_usage(&o));
		return (0);
	case OPTIONS_VERSION:
		if (o.o_compat)
			printf("%s\n", ZT_VERSION_TEXT);
		else
			printf("%s %s (compatible with ZeroTier %s, protocol "
			    "%d)\n", ZTD_NAME, ZTD_VERSION, ZT_VERSION_TEXT,
			    ZT_PROTOCOL);
		return (0);
	default:
		break;
	}
	log_init(ZTD_NAME, true, o.o_verbose);
	RB_INIT(&p->p_joined);
	p->p_argv0 = argv[0];
	p->p_homefd = p->p_pidfd = p->p_netsfd = p->p_startpipe = -1;
	p->p_local = -1;
	p->p_root = geteuid() == 0;
	p->p_foreground = o.o_foreground;
	p->p_verbose = o.o_verbose;
	p->p_argport = o.o_port;
	settings_init(&p->p_settings);
	if (o.o_do == OPTIONS_CHECK)
		return (check(p, &o));
	prepare(p, &o);
	if (!o.o_foreground)
		p->p_startpipe = daemon_detach();
	return (parent_run(p));
}

/* Descriptors 0 to 2 must not become something else of ours. */
static void
stdio_open(void)
{
	int	 fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			_exit(1);
	} while (fd <= STDERR_FILENO);
	close(fd);
}

/* -n: everything that an operator writes, nothing is changed. */
static int
check(struct parent *p, const struct options *o)
{
	bool	 good = true;

	home_open(p, o->o_home, false);
	users_find(p, false);
	supervise_init(p);
	if (idfile_load(p) == -1)
		good = false;
	if (localconf_load(p) == -1)
		good = false;
	p->p_netsfd = openat(p->p_homefd, "networks.d", O_RDONLY |
	    O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->p_netsfd != -1)
		policy_file_scan(p, check_policy);
	else if (errno != ENOENT) {
		log_warn("cannot read %s/networks.d", p->p_home);
		good = false;
	}
	explicit_bzero(p->p_secret, sizeof(p->p_secret));
	if (!good || bad_policies > 0)
		return (1);
	printf("configuration OK\n");
	return (0);
}

static void
check_policy(struct parent *p, uint64_t nwid)
{
	struct policy	 po;

	if (policy_file_read(p, nwid, &po) == -1)
		bad_policies++;
}

static void
users_find(struct parent *p, bool tell)
{
	enum proc	 proc;
	bool		 missing = false;

	for (proc = PROC_TAP; proc < PROC_COUNT; proc++)
		proc_user(proc, &p->p_user[proc], &missing);
	if (missing && tell)
		log_info("users _ztd, _ztdcon, _ztdctl or group _ztd are "
		    "missing: numeric ids are used instead");
}

static void
prepare(struct parent *p, const struct options *o)
{
	const char	*why;

	if (!p->p_root && !o->o_any_user)
		fatalx("must be run as root, or with -U as someone who may "
		    "make network interfaces");
	descriptors();
	users_find(p, true);
	supervise_init(p);
	home_open(p, o->o_home, true);
	home_lock(p);
	if (idfile_load(p) == -1)
		_exit(1);
	home_adopt(p);
	if (localconf_load(p) == -1)
		_exit(1);
	p->p_offload = p->p_settings.s_offload;
	tokens_load(p);
	listen_open(p);
	local_open(p);
	if ((p->p_netif = netif_new()) == NULL)
		log_warn("the system's interfaces cannot be reached");
	if ((why = tap_probe()) != NULL)
		log_warnx("no network can have an interface: %s", why);
}

/* One for each network's tap: as many as may be had. */
static void
descriptors(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return;
	rl.rlim_cur = DESCRIPTORS;
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_cur > rl.rlim_max)
		rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		log_warn("cannot set the limit of open files");
}
