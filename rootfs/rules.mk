# The busybox tree and what is compiled into it. Included by the top-level Makefile, which defines
# CC, CFLAGS, WARNINGS, B, Q and say.

ROOTFS_PROGRAMS := $(addprefix $(B)/rootfs/bin/,eat spin forks pause)
ROOTFS_PRODUCTS := $(ROOTFS_PROGRAMS) $(B)/rootfs/base.cpio

# Static, always: they run in roots that hold no library. For i386, of which the course's page carries all, their C
# library is musl, with which they have a tenth of the size.
STATIC = $(CC) $(TARGET) $(addprefix -specs=,$(MUSL)) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -pthread -static -s $(START) -o $@ $<
MUSL := $(if $(filter i386,$(ARCH)),$(B)/rootfs/musl.specs)
# Debian's are for a machine that runs such programs itself. The kernel's headers are not musl's.
$(B)/rootfs/musl.specs: $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)sed -e 's,/usr/\(include\|lib\)/,$(CURDIR)/$(SYSROOT)&,g' -e 's,-isystem include%s,& -idirafter $(CURDIR)/$(SYSROOT)/usr/include -idirafter $(CURDIR)/$(SYSROOT)/usr/include/i386-linux-gnu,' \
		$(SYSROOT)/usr/lib/i386-linux-musl/musl-gcc.specs >$@
$(ROOTFS_PROGRAMS): $(B)/rootfs/bin/%: rootfs/%.c rootfs/names.h $(MUSL)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC)

# It has nothing of a C library, and no page that it writes to but its stack.
$(B)/rootfs/bin/pause: START := -nostartfiles -fno-stack-protector -fno-pie

# The tree is a directory, so the archive that is written after it stands for both.
$(B)/rootfs/base.cpio: rootfs/build $(ROOTFS_PROGRAMS) $(B)/rootfs/bin/init $(wildcard rootfs/etc/*) $(SYSROOT)
	$(call say,TREE,$(B)/rootfs/tree)
	$(Q)rootfs/build $(B)/rootfs $(SYSROOT)
