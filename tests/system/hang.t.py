#!/usr/bin/env python3
"""Paths that a service names on a file system that does not answer (hang_rows.py)."""

from hang_rows import SLEEP, Row, main

# ---- EnvironmentFile=, programs
Row("environment_file", service="EnvironmentFile={m}/env\n" + SLEEP)
Row("environment_file_optional", service="EnvironmentFile=-{m}/none\n" + SLEEP)
Row("environment_file_glob", service="EnvironmentFile={m}/d*/f*\n" + SLEEP)
Row("environment_file_by_link", service="EnvironmentFile={f}/to-m/env\n" + SLEEP)
Row("environment_file_cached", service="EnvironmentFile={m}/env\n" + SLEEP, first=True)
Row("environment_file_cached_by_link", service="EnvironmentFile={f}/to-m/env\n" + SLEEP, first=True)
Row("search_path", service="ExecSearchPath={m}/bin\nExecStart=prog\n")
Row("search_path_cached", service="ExecSearchPath={m}/bin\nExecStart=prog\n", first=True, state=None)
Row("search_path_of_start_post", service=SLEEP + "ExecSearchPath={m}/bin:/bin\nExecStartPost=true\n")
Row("program", service="Type=exec\nExecStart={m}/bin/prog\n")
Row("program_of_start_pre", service="ExecStartPre={m}/bin/none\n" + SLEEP, done="failed")
Row("program_of_condition", service="ExecCondition={m}/bin/none\n" + SLEEP, done="inactive")
# ---- what the process itself opens
Row("working_directory", service="Type=exec\nWorkingDirectory={m}/dir\n" + SLEEP)
Row("working_directory_waited", service="Type=exec\nWorkingDirectory={m}/dir\nOOMScoreAdjust=100\n" + SLEEP)
Row("working_directory_of_user", service="Type=exec\nUser=nobody\nWorkingDirectory={m}/dir\n" + SLEEP)
Row("standard_input", service="Type=exec\nStandardInput=file:{m}/env\n" + SLEEP)
Row("standard_output", service="Type=exec\nStandardOutput=append:{m}/out\n" + SLEEP)
Row("standard_error", service="Type=exec\nStandardError=truncate:{m}/out\n" + SLEEP)
Row("terminal", service="Type=exec\nStandardInput=tty\nTTYPath={m}/env\n" + SLEEP, done="failed")
# ---- folders made for it
for kind, root in (("Runtime", "/run"), ("State", "/var/lib"), ("Cache", "/var/cache"), ("Logs", "/var/log")):
    Row(f"{kind.lower()}_directory", service=f"Type=exec\n{kind}Directory=hang/v:to-v\n" + SLEEP, folder=root,
        at=root + "/hang")
Row("runtime_directory_removed", service="RuntimeDirectory=hang/v\n" + SLEEP, folder="/run", at="/run/hang",
    live=True)
Row("mount_in_runtime_directory", service="RuntimeDirectory=v\nExecStartPre=+mkdir -p /run/v/a\n" + SLEEP,
    folder="/run", at="/run/v/a", live=True, local=True)
# ---- PID files; the file itself is the script's to write, and lies on the disk
FORKING = "Type=forking\nPIDFile={m}/pid\nExecStart={f}/fork\n"
Row("pid_file", service=FORKING, tree={"pid": ("link", "{f}/pid")}, keeps=True)
Row("pid_file_removed", service=FORKING, tree={"pid": ("link", "{f}/pid")}, keeps=True, live=True)
# ---- OpenFile=
Row("open_file", service="OpenFile={m}/env:data:read-only\n" + SLEEP)
Row("open_file_optional", service="OpenFile={m}/none:data:read-only,graceful\n" + SLEEP)
Row("open_file_cached", service="OpenFile={m}/env:data:read-only\n" + SLEEP, first=True)

main()
