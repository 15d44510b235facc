L() { echo "$@" >>/run/case/log; }
n=$1
if [ "$2" = ignore ]; then trap 'L $n TERM' TERM; else trap 'L $n TERM; exit 0' TERM; fi
trap 'L $n INT; exit 0' INT
trap 'L $n HUP' HUP
trap 'L $n USR1; [ "$2" = x ] || :' USR1
trap 'L $n USR2; exit 0' USR2
trap 'L $n QUIT; exit 0' QUIT
L $n up
while :; do sleep 0.02; done
