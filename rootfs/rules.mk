# The busybox tree and what is compiled into it. Included by the top-level Makefile, which defines
# CC, CFLAGS, WARNINGS, B, Q and say.

ROOTFS_PROGRAMS := $(addprefix $(B)/rootfs/bin/,eat spin forks pause)
ROOTFS_PRODUCTS := $(ROOTFS_PROGRAMS) $(B)/rootfs/base.cpio

# Static, always: they run in roots that hold no library.
STATIC = $(CC) $(TARGET) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -pthread -static -s $(START) -o $@ $<
$(ROOTFS_PROGRAMS): $(B)/rootfs/bin/%: rootfs/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC)

# It needs nothing of a C library but the calls.
$(B)/rootfs/bin/pause: START := -nostartfiles -fno-stack-protector

# The tree is a directory, so the archive that is written after it stands for both.
$(B)/rootfs/base.cpio: rootfs/build $(ROOTFS_PROGRAMS) $(B)/rootfs/bin/init $(wildcard rootfs/etc/*) $(SYSROOT)
	$(call say,TREE,$(B)/rootfs/tree)
	$(Q)rootfs/build $(B)/rootfs $(SYSROOT)
