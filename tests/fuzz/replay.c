// The main program of a fuzz harness that is built without libFuzzer: feeds it each file of the
// folders and files named, so that the corpus is an ordinary test, then the empty input.
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_replayed;

static int replay_file(const char *path)
{
        FILE *f = fopen(path, "re");
        struct stat st;
        if (!f || fstat(fileno(f), &st) < 0) {
                fprintf(stderr, "FAIL %s: %s\n", path, strerror(errno));
                return 1;
        }
        // Exactly as large as the file, so that a read behind its end is seen.
        size_t size = (size_t)st.st_size;
        uint8_t *data = malloc(size ? size : 1);
        if (!data || fread(data, 1, size, f) != size) {
                fprintf(stderr, "FAIL %s: cannot be read\n", path);
                exit(1);
        }
        fclose(f);
        fprintf(stderr, "replaying %s\n", path);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        n_replayed++;
        return 0;
}

static int replay(const char *path)
{
        struct stat st;
        if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
                return replay_file(path);

        struct dirent **entries;
        int n = scandir(path, &entries, NULL, alphasort), n_failed = 0;
        if (n < 0) {
                fprintf(stderr, "FAIL %s: %s\n", path, strerror(errno));
                return 1;
        }
        for (int i = 0; i < n; i++) {
                char file[4096];
                snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
                if (entries[i]->d_name[0] != '.')
                        n_failed += replay_file(file);
                free(entries[i]);
        }
        free(entries);
        return n_failed;
}

int main(int argc, char **argv)
{
        const uint8_t nothing[1] = {0};
        int n_failed = 0;

        for (int i = 1; i < argc; i++)
                n_failed += replay(argv[i]);
        LLVMFuzzerTestOneInput(nothing, 0);
        printf("%u inputs replayed\n", n_replayed);
        return n_failed ? 1 : 0;
}
