# The settings of deploy.sh, which sources this file: from flags and a file of NAME=VALUE, checked before all else.

channel='projects/[a-z0-9-]+/notificationChannels/[0-9]+' topic='[A-Za-z][A-Za-z0-9._-]{2,200}'
origin='https?://[A-Za-z0-9.-]+(:[0-9]+)?/?' bucket='[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]'
# What has no default (-) must be given. No pattern lets a quote, a space or an @ through.
SETTINGS="
# name                  default            pattern                       what it is
PROJECT                 -                  [a-z][a-z0-9-]{4,28}[a-z0-9]  project id
REGION                  -                  [a-z]+-[a-z]+[0-9]+           region such as us-central1
ALLOWED_ORIGINS         -                  $origin(,$origin)*  list of origins such as https://a.example,https://b.example
IMAGES_BUCKET           nuumee-images      $bucket  bucket name
VIDEOS_BUCKET           nuumee-videos      $bucket  bucket name
OUTPUTS_BUCKET          nuumee-outputs     $bucket  bucket name
JOB_DELETED_TOPIC       job-deleted        $topic  topic name
OBJECT_FINALIZED_TOPIC  object-finalized   $topic  topic name
SHARE_ORIGIN            https://nuumee.ai  $origin  origin such as https://nuumee.ai
SHORT_ID_LENGTH         8                  (8|12|16)  length of a new share link's id: 8, 12 or 16
FORWARDED_HOPS          1                  (1|2)  number of proxies of Google: 1, or 2 behind a load balancer
REQUESTS_PER_MINUTE     600                [1-9][0-9]{0,5}  number of requests that a user may send to an instance, to 999999
SIGNING                 key                (key|keyless)  way to sign URLs: key, or keyless for a call of IAM for each
MAX_INSTANCES           20                 [1-9][0-9]{0,2}  number of instances of a function, from 1 to 999
ALERT_CHANNELS          none               (none|$channel(,$channel)*)  list of channels such as projects/a/notificationChannels/1
"

usage() {
  cat <<END
usage: ./deploy.sh [--dry-run] [--config FILE] [--SETTING VALUE]...

  --dry-run      print every gcloud command, in order, and run none; a real run first stages the functions in build/
  --config FILE  read settings from FILE, lines of NAME=VALUE; by default from .env beside deploy.sh, if it is there

A setting is a flag (--images-bucket VALUE) or a line of the file (IMAGES_BUCKET=VALUE); flags win. Defaults:

$(rows "$SETTINGS" | while read -r name default _ what; do
  printf '  %-22s  %-17s  %s\n' "$name" "$default" "$what"
done)

The project's Firestore database, its sign-in and the three buckets must be there already.
END
}

fail() { echo "deploy.sh: $*" >&2 && exit 2; }

rows() { grep '^[A-Za-z]' <<<"$1"; }

is_setting() { [[ $SETTINGS == *$'\n'"$1 "* ]]; }

read_flags() {
  local flag name value
  while (($#)); do
    flag=${1%%=*}
    case $1 in
      --help) usage && exit ;;
      --dry-run) dry_run=1 && shift && continue ;;
      --[a-z]*=*) value=${1#*=} && shift ;;
      --[a-z]*) value=${2-} && shift && shift $(($# > 0)) ;;
      *) fail "unknown flag $1: see --help" ;;
    esac
    name=$(tr a-z- A-Z_ <<<"${flag#--}")
    [[ $name == CONFIG ]] || is_setting "$name" || fail "unknown flag $flag: see --help"
    [[ -n $value && $value != --* ]] || fail "$flag needs a value"
    printf -v "$name" %s "$value"
    by_flag+=" $name "
  done
}

read_config() { # FILE. Not sourced: settings must not be able to run anything.
  [[ -r $1 && ! -d $1 ]] || fail "cannot read the config file $1"
  local line name value number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    [[ ! $line =~ ^[[:space:]]*(#|$) ]] || continue
    [[ $line =~ ^[[:space:]]*([A-Za-z0-9_]+)=(.*)$ ]] || fail "$1, line $number is not NAME=VALUE: $line"
    name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    is_setting "$name" || fail "$1, line $number: unknown setting $name"
    value=${value%"${value##*[![:space:]]}"}
    [[ $by_flag == *" $name "* ]] || printf -v "$name" %s "$value"
  done <"$1"
}

check_settings() {
  local name default pattern what
  while read -r name default pattern what; do
    [[ -n ${!name} || $default == - ]] || printf -v "$name" %s "$default"
    [[ -n ${!name} ]] || fail "$name is not set: give --$(tr A-Z_ a-z- <<<"$name") or put $name=... into .env"
    [[ ${!name} =~ ^$pattern$ ]] || fail "$name is '${!name}', which is no $what"
  done < <(rows "$SETTINGS")
  differ "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET" ||
    fail 'IMAGES_BUCKET, VIDEOS_BUCKET and OUTPUTS_BUCKET must be three buckets'
  differ "$JOB_DELETED_TOPIC" "$OBJECT_FINALIZED_TOPIC" "$EVERY_MINUTE_TOPIC" ||
    fail "JOB_DELETED_TOPIC and OBJECT_FINALIZED_TOPIC must be two topics, and neither may be $EVERY_MINUTE_TOPIC"
}

differ() { [[ -z $(printf '%s\n' "$@" | sort | uniq -d) ]]; }
