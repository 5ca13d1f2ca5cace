#include "ztd-ctl/ztctl/ztctl.h"
int
cmd_doctor(const struct conn *cn, int argc, char **argv)
{
	(void)cn; (void)argc; (void)argv;
	return 0;
}
