// The whole input is a PID file.
#include "base/parse.h"

#include "fuzz/input.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *text = input_rest(&in, NULL);
        char printed[32];
        pid_t pid = -1, again;
        int r = parse_pid_file(text, size, &pid);

        assert(r == 0 || r == -EINVAL || r == -ERANGE);
        if (r < 0) {
                assert(pid == -1);
                return 0;
        }
        // The number is there as we would write it, on the first line, with blanks around it alone.
        snprintf(printed, sizeof(printed), "%d", pid);
        assert(pid > 0 && parse_pid_file(printed, strlen(printed), &again) == 0 && again == pid);
        text[strcspn(text, "\n")] = '\0';
        size_t blanks = strspn(text, " \t\r\v\f");

        assert(strncmp(text + blanks, printed, strlen(printed)) == 0);
        blanks += strlen(printed);
        assert(text[blanks + strspn(text + blanks, " \t\r\v\f")] == '\0');
        return 0;
}
