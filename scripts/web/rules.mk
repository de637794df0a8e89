# The course as a page: build/site and build/unboxed.html. Included by the top-level Makefile.
#
# MACHINE=no leaves out the machine, and with it the 32-bit build: for who works on the text.
# SITE_URL=https://host/path/ is where the site will be: canonical addresses and sitemap.xml are written with it.
# REPOSITORY=URL stands in the first page's command that clones it. PORT= and BASE=/path/ are make serve's.

.PHONY: setup-site site serve site-test
setup-site:
	@scripts/setup --site
	@scripts/web/setup
site: | all $(filter setup-site,$(MAKECMDGOALS))
	@scripts/web/setup --check
	@$(if $(filter no,$(MACHINE)),:,$(MAKE) ARCH=i386 system && $(MAKE) ARCH=i386 SHARED=1 all)
	@$(as_owner) node scripts/web/build.mjs $(if $(filter no,$(MACHINE)),--machine=no) $(if $(SITE_URL),--url='$(SITE_URL)') $(if $(REPOSITORY),--repository='$(REPOSITORY)')
serve: | $(filter site,$(MAKECMDGOALS))
	@node scripts/web/serve.mjs $(if $(PORT),--port='$(PORT)') $(if $(BASE),--base='$(BASE)')
site-test: site
	@scripts/web/setup --check
	@node tests/web/run.mjs $(ARGS)
