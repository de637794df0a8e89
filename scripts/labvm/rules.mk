# The lab VM: its first process, its tools, and the host's end of it. What it boots from is made of them
# when it is needed (scripts/labvm/image). Included by the top-level Makefile.

CLIENT         := $(wildcard scripts/labvm/client/*.c)
LABVM_PRODUCTS := $(B)/labvm/tools $(B)/labvm/client

$(B)/rootfs/bin/init: scripts/labvm/init.c scripts/labvm/wire.h
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC)

$(B)/labvm/tools: scripts/labvm/tools
	$(call say,COPY,$@)
	$(Q)scripts/labvm/tools $@

$(B)/labvm/client: $(CLIENT) scripts/labvm/client/client.h scripts/labvm/wire.h $(B)/static
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(filter-out -MMD -MP,$(COMPILE)) $(CLIENT) -o $@ $(LINK)
