# The host's end of the lab VM. Included by the top-level Makefile.

VM_PRODUCTS := $(B)/bin/vm-client

$(B)/bin/vm-client: scripts/vm-client.c rootfs/wire.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $<
