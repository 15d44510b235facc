// usherd: creates the parts of the supervisor, runs it, and frees them.
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/server.h"
#include "conf/cfgfile.h"
#include "conf/difference.h"
#include "conf/unit_path.h"
#include "core/loop/diag_log.h"
#include "core/loop/log_ring.h"
#include "core/unit/manager.h"
#include "daemon/first.h"
#include "daemon/listen_fds.h"
#include "daemon/options.h"
#include "daemon/runtime_dir.h"
#include "daemon/signals.h"
#include "daemon/transient.h"
#include "spawn/ids.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define EXIT_USAGE 2
#define BUS_FLUSH_LIMIT (200 * USEC_PER_MSEC)

extern char **environ;

struct daemon {
        struct options options;
        struct settings settings;
        struct runtime_dir runtime;
        char *config_path;
        struct rlimit_value child_limits[RLIM_NLIMITS]; // for children, since we raise ours
        bool is_user, is_pid1;
};

static void daemon_done(struct daemon *d)
{
        runtime_dir_close(&d->runtime);
        settings_done(&d->settings);
        options_done(&d->options);
        free(d->config_path);
}

static inline void cleanup_daemon(struct daemon *d)
{
        daemon_done(d);
}

// ---- settings

static int apply_log(const struct daemon *d)
{
        const struct options *o = &d->options;
        const struct settings *s = &d->settings;
        int level = o->log_level >= 0 ? o->log_level : s->log_level;
        int target = o->log_target >= 0 ? o->log_target : s->log_target;
        int format = o->log_format >= 0 ? o->log_format : s->log_format;

        if (level >= 0)
                log_set_level(level);
        int time = o->log_time >= 0   ? o->log_time
                   : s->log_time >= 0 ? (s->log_time ? LOG_TIME_YES : LOG_TIME_NO)
                                      : LOG_TIME_AUTO;

        log_set_user(d->is_user);
        log_set_time((enum log_time)time);
        int r = log_set_target(target >= 0 ? (enum log_target)target : LOG_TARGET_AUTO,
                               format >= 0 ? (enum log_format)format : LOG_FORMAT_TEXT);

        if (r < 0) {
                log_write(LOG_ERR,
                          "There is no journal to log to (%s): choose "
                          "--log-target=auto, syslog or stderr",
                          strerror(-r));
                return COMPLAINED;
        }
        return 0;
}

// Permissions are looked up when a client connects, and in local files only: a name that does not
// exist would be noticed only by those who are refused.
static void check_names(const struct daemon *d)
{
        const struct {
                const char *key;
                char *const *names;
        } lists[] = {
                {"AllowRead", d->settings.allow_read},
                {"AllowLogs", d->settings.allow_logs},
                {"AllowControl", d->settings.allow_control},
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                STRV_FOREACH (name, lists[i].names) {
                        bool is_group = **name == '@';
                        CLEANUP(ids_user) struct ids_user user = {0};
                        gid_t gid;

                        if (streq(*name, "all") || streq(*name, "none") ||
                            (is_group ? ids_get_group(*name + 1, NULL, &gid)
                                      : ids_get_user(*name, NULL, &user)) == IDS_FOUND)
                                continue;
                        log_write(LOG_WARNING, "%s: %s=%s: %s has no such %s, so it allows nobody",
                                  d->config_path, lists[i].key, *name,
                                  is_group ? "/etc/group" : "/etc/passwd",
                                  is_group ? "group" : "user");
                }
}

// Settings are taken over only when the whole file is right.
static int load_config(void *data, struct diag *diag, struct cfgfile **ret)
{
        struct daemon *d = data;
        CLEANUP(settings) struct settings fresh;

        settings_init(&fresh);
        // The file's own RefuseWritableUnits= cannot decide whether the file is trusted.
        enum trust_mode trust = trust_mode_choose(-1, d->is_user, d->options.compat_systemd,
                                                  d->options.config != NULL);
        int r = d->config_path ? cfgfile_load(d->config_path, trust, &fresh, diag, ret) : 0;

        if (r < 0) {
                if (r != -EBADMSG)
                        diag_report(diag, DIAG_ERROR, NULL, d->config_path, 0, "%s", strerror(-r));
                return r;
        }
        struct settings old = d->settings;

        d->settings = fresh;
        fresh = old;
        r = apply_log(d);
        if (r == 0)
                check_names(d);
        return r;
}

static int choose_config(struct daemon *d)
{
        int r;

        if (d->options.is_run && !d->options.config)
                return 0; // nothing but the command line
        if (d->options.config) {
                if (access(d->options.config, R_OK) < 0) {
                        log_write(LOG_ERR, "%s: %s", d->options.config, strerror(errno));
                        return COMPLAINED;
                }
                return fs_path_make_absolute(d->options.config, &d->config_path);
        }
        r = unit_path_config_file(d->is_user, &d->config_path);
        return r == -ENXIO ? 0 : r; // no home: no file of its own
}

static bool is_compat(const struct daemon *d)
{
        return d->options.compat_systemd || d->settings.compat_systemd;
}

static int choose_folders(struct daemon *d, char ***ret)
{
        const struct unit_path_options options = {
                .is_user = d->is_user,
                .systemd_units =
                        d->options.systemd_units || d->settings.systemd_units || d->is_pid1,
                .has_control = difference_applies(DIFFERENCE_MASK_ABOVE, is_compat(d)),
        };
        CLEANUP(free) char *dir = NULL;

        if (d->options.is_run) {
                dir = fs_path_join(d->runtime.path, "units");
                if (!dir)
                        return -ENOMEM;
                int r = transient_write(&d->options, dir);

                return r < 0 ? r : strv_push(ret, dir);
        }
        STRV_FOREACH (unit_dir, d->options.units) {
                struct stat st;

                if (stat(*unit_dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
                        log_write(LOG_ERR, "%s: not a folder that can be read", *unit_dir);
                        return COMPLAINED;
                }
        }
        if (d->options.units)
                return strv_copy(d->options.units, ret);
        if (d->settings.unit_path)
                return strv_copy(d->settings.unit_path, ret);
        // As for --systemd-units: systemd's default.target would boot the machine a second time.
        if (options.systemd_units && !d->is_pid1 && !d->options.names) {
                log_write(LOG_ERR,
                          "usher.conf says SystemdUnits=yes: name the units to be started, since "
                          "this machine is booted already, as in: usherd --target=ssh.socket");
                return COMPLAINED;
        }
        return unit_path_default(&options, ret);
}

static int choose_unit_path(struct daemon *d, char ***ret)
{
        CLEANUP(strv) char **path = NULL;
        int r = choose_folders(d, &path);

        if (r == 0 && difference_applies(DIFFERENCE_MASK_ABOVE, is_compat(d)))
                r = unit_path_add_control(&path, d->runtime.path);
        if (r == 0)
                *ret = TAKE(path);
        return r;
}

// ---- the process

static int set_up_process(struct daemon *d)
{
        int r = signals_block();

        if (r < 0)
                return r;
        d->is_pid1 = getpid() == 1;
        d->is_user = !d->is_pid1 && (d->options.is_user || geteuid() != 0);
        // What is made for units has the mode that they ask for; processes have a umask of their
        // own.
        if (!d->is_user)
                umask(0);
        // Processes that services leave behind come to us.
        if (!d->is_pid1 && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
                log_write(LOG_WARNING, "No subreaper: %s", strerror(errno));
        return 0;
}

// ---- running

static int make_manager(struct daemon *d, struct manager **ret)
{
        CLEANUP(strv) char **unit_path = NULL;
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        struct manager_options o = {
                .settings = &d->settings,
                .runtime_dir = d->runtime.path,
                .is_user = d->is_user,
                .is_pid1 = d->is_pid1,
                .spawn_method = d->options.spawn_method,
                .load_config = load_config,
                .load_config_data = d,
        };
        struct diag diag = diag_log();
        int r = load_config(d, &diag, &cfgfile);

        if (r < 0)
                return COMPLAINED;
        r = choose_unit_path(d, &unit_path);
        if (r == 0)
                r = listen_fds_take(&o.listen_fds, &o.n_listen_fds);
        if (r < 0)
                return r;
        memcpy(o.limits, d->child_limits, sizeof(o.limits));
        o.unit_path = unit_path;
        o.is_path_given = d->options.units != NULL;
        o.cfgfile = cfgfile;
        o.compat_systemd = is_compat(d);
        o.environment = environ;
        r = manager_new(&o, ret);
        if (r == 0)
                cfgfile = NULL;
        else
                for (size_t i = 0; i < o.n_listen_fds; i++)
                        fd_close(o.listen_fds[i]);
        free(o.listen_fds);
        return r;
}

static int run(struct daemon *d)
{
        CLEANUP(manager) struct manager *m = NULL;
        CLEANUP(signals) struct signals *signals = NULL;
        CLEANUP(bus_server) struct bus_server *bus = NULL;
        int r = make_manager(d, &m);

        // A working directory elsewhere would keep its file system busy. Most children work in "/"
        // anyway. A failure does no harm.
        if (r == 0 && chdir("/") < 0)
                log_write(LOG_DEBUG, "The working directory stays as it is: %s", strerror(errno));
        if (r == 0)
                log_ring_attach(m->log_ring);
        if (r == 0)
                r = signals_new(m, d->options.is_run ? transient_n_sockets(&d->options) : 0,
                                &signals);
        if (r == 0)
                r = manager_open(m);
        if (r == 0)
                r = bus_server_new(m, d->runtime.path, &bus);
        if (r == 0)
                r = manager_start(m, d->options.names);
        if (r == 0 && d->runtime.is_private)
                log_write(LOG_NOTICE, "\"usherctl --runtime-dir=%s\" shows and controls it.",
                          d->runtime.path);
        if (r == 0)
                r = events_run(m->events);
        if (r >= 0)
                bus_server_flush(bus, BUS_FLUSH_LIMIT);
        return r;
}

int main(int argc, char **argv)
{
        CLEANUP(daemon) struct daemon d = {.runtime.lock_fd = -1};
        int r;

        first_set_up(d.child_limits);
        settings_init(&d.settings);
        r = options_parse(argc, argv, &d.options);
        if (r == OPTIONS_DONE)
                return EXIT_SUCCESS;
        if (r == OPTIONS_USAGE)
                return EXIT_USAGE;
        if (r == OPTIONS_RUN)
                r = set_up_process(&d);
        if (r == 0)
                r = apply_log(&d);
        if (r == 0)
                r = runtime_dir_open(d.options.runtime_dir, d.options.is_run, &d.runtime);
        if (r == 0)
                r = choose_config(&d);
        if (r == 0)
                r = run(&d);
        if (r < 0) {
                if (r != COMPLAINED)
                        log_write(LOG_ERR, "usherd ends: %s", strerror(-r));
                r = EXIT_FAILURE;
        }
        log_close();
        return r;
}
