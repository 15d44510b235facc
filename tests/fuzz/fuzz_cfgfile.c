// The whole input is usher.conf. The scan before libconfuse, and libconfuse itself where the scan
// lets it through; then what comes of it.
#include "base/buf.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "conf/cfgfile_parse.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What the child writes is always taken for records.
static void take_records(struct buf *records)
{
        CLEANUP(cfgfile) struct cfgfile *c = NULL;
        CLEANUP(settings) struct settings settings;
        struct diag diag = {0};

        settings_init(&settings);
        int r = cfgfile_from_records("/etc/usher.conf", records->data, records->size, &settings,
                                     &diag, &c);

        assert(r == 0 || (r == -EBADMSG && diag.errors + diag.warnings > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(free) char *text = malloc(size + 1);
        CLEANUP(cfgfile_scan) struct cfgfile_scan scan;
        CLEANUP(buf) struct buf records = BUF_NULL;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        assert(cfgfile_scan(text, size, &scan) == 0);
        if (scan.fault) {
                assert(scan.fault_line > 0);
                return 0;
        }
        assert(strlen(scan.text) == size);
        assert(cfgfile_parse(&scan, &records) == 0);
        assert(records.size == 0 || records.data[records.size - 1] == '\0');
        if (records.size > 0)
                take_records(&records);
        return 0;
}
