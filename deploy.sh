#!/usr/bin/env bash
# Deploys NuuMee Jobs: what the functions need, then the functions. Can be run again at any time.
set -euo pipefail
LC_ALL=C # so that a-z means just that

# trigger: http, or topic for JOB_DELETED_TOPIC. account: the function's own, of 6 to 30 characters.
FUNCTIONS='
# name          trigger  memory  cpu  concurrency  timeout  account
list_jobs       http     512Mi   1    16           30s      list-jobs
get_thumbnails  http     512Mi   1    16           30s      get-thumbnails
get_output      http     512Mi   1    16           30s      get-output
delete_job      http     512Mi   1    16           30s      delete-job
purge_job       topic    512Mi   1    8            300s     purge-job
'

# What each account may do, and on what. To sign URLs an account calls signBlob on itself; to see whether a
# session was revoked it reads the user from Firebase Auth.
ROLES='
# account       on       role
list-jobs       project  roles/datastore.viewer
list-jobs       buckets  roles/storage.objectViewer
list-jobs       itself   roles/iam.serviceAccountTokenCreator
get-thumbnails  project  roles/datastore.viewer
get-thumbnails  buckets  roles/storage.objectViewer
get-thumbnails  itself   roles/iam.serviceAccountTokenCreator
get-output      project  roles/datastore.viewer
get-output      outputs  roles/storage.objectViewer
get-output      itself   roles/iam.serviceAccountTokenCreator
delete-job      project  roles/datastore.user
delete-job      project  roles/firebaseauth.viewer
delete-job      topic    roles/pubsub.publisher
purge-job       project  roles/datastore.user
purge-job       buckets  roles/storage.objectUser
'

SERVICES=(artifactregistry cloudbuild cloudfunctions cloudresourcemanager eventarc firestore iam iamcredentials
  identitytoolkit pubsub run storage)

origin='https?://[A-Za-z0-9.-]+(:[0-9]+)?/?' bucket='[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]'
# What has no default (-) must be given. No pattern lets a quote, a space or an @ through.
SETTINGS="
# name             default            pattern                       what it is
PROJECT            -                  [a-z][a-z0-9-]{4,28}[a-z0-9]  project id
REGION             -                  [a-z]+-[a-z]+[0-9]+           region such as us-central1
ALLOWED_ORIGINS    -                  $origin(,$origin)*  list of origins such as https://a.example,https://b.example
IMAGES_BUCKET      nuumee-images      $bucket  bucket name
VIDEOS_BUCKET      nuumee-videos      $bucket  bucket name
OUTPUTS_BUCKET     nuumee-outputs     $bucket  bucket name
JOB_DELETED_TOPIC  job-deleted        [A-Za-z][A-Za-z0-9._-]{2,200}  topic name
SHARE_ORIGIN       https://nuumee.ai  $origin  origin such as https://nuumee.ai
MAX_INSTANCES      20                 [1-9][0-9]{0,2}  number of instances of a function, from 1 to 999
"

usage() {
  cat <<END
usage: ./deploy.sh [--dry-run] [--config FILE] [--SETTING VALUE]...

  --dry-run      print every gcloud command, in order, and run none; a real run first stages the functions in build/
  --config FILE  read settings from FILE, lines of NAME=VALUE; by default from .env beside deploy.sh, if it is there

A setting is a flag (--images-bucket VALUE) or a line of the file (IMAGES_BUCKET=VALUE); flags win. Defaults:

$(rows "$SETTINGS" | while read -r name default _ what; do printf '  %-17s  %-17s  %s\n' "$name" "$default" "$what"; done)

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
  [[ -z $(printf '%s\n' "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET" | sort | uniq -d) ]] ||
    fail 'IMAGES_BUCKET, VIDEOS_BUCKET and OUTPUTS_BUCKET must be three buckets'
}

show() { # WORD...: the gcloud command, as a shell takes it
  local line=gcloud word
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]] || word="'$word'"
    line+=" $word"
  done
  if ((dry_run)); then echo "$line"; else echo "+ $line" >&2; fi
}

run() { # WORD...
  set -- "$@" "--project=$PROJECT" --quiet
  show "$@"
  ((dry_run)) || gcloud "$@" </dev/null
}

create() { # WORD...: as run, but what is there already stays as it is
  set -- "$@" "--project=$PROJECT" --quiet
  show "$@"
  ((!dry_run)) || return 0
  local said status=0
  said=$(gcloud "$@" </dev/null 2>&1) || status=$?
  [[ -z $said ]] || echo "$said" >&2
  ((status == 0)) || grep -qi 'already.exists' <<<"$said" || exit "$status"
}

ask() { # PLACEHOLDER WORD...: sets answer to what the cloud says, in a dry run to PLACEHOLDER
  answer=$1
  set -- "${@:2}" "--project=$PROJECT" --quiet
  show "$@"
  ((!dry_run)) || return 0
  answer=$(gcloud "$@" </dev/null)
  [[ -n $answer ]] || fail "there is no answer yet to gcloud $*: run deploy.sh again in a minute"
}

grant() { # a row of ROLES
  local email=$1@$PROJECT.iam.gserviceaccount.com bucket
  local binding=("--member=serviceAccount:$email" "--role=$3" --format=none)
  case $2 in
    project) run projects add-iam-policy-binding "$PROJECT" "${binding[@]}" --condition=None ;;
    itself) run iam service-accounts add-iam-policy-binding "$email" "${binding[@]}" --condition=None ;;
    topic) run pubsub topics add-iam-policy-binding "$JOB_DELETED_TOPIC" "${binding[@]}" ;;
    buckets) for bucket in "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET"; do grant "$1" "gs://$bucket" "$3"; done ;;
    outputs) grant "$1" "gs://$OUTPUTS_BUCKET" "$3" ;;
    gs://*) run storage buckets add-iam-policy-binding "$2" "${binding[@]}" --condition=None ;;
    *) fail "ROLES has $2, which is nothing to grant a role on" ;;
  esac
}

deploy() { # a row of FUNCTIONS
  local name=$1 trigger=$2 memory=$3 cpu=$4 concurrency=$5 timeout=$6 email=$7@$PROJECT.iam.gserviceaccount.com
  local environment flags
  # The origins hold commas, so @ separates the variables: see gcloud topic escaping.
  environment="^@^GOOGLE_CLOUD_PROJECT=$PROJECT@ALLOWED_ORIGINS=$ALLOWED_ORIGINS@IMAGES_BUCKET=$IMAGES_BUCKET"
  environment+="@VIDEOS_BUCKET=$VIDEOS_BUCKET@OUTPUTS_BUCKET=$OUTPUTS_BUCKET@JOB_DELETED_TOPIC=$JOB_DELETED_TOPIC"
  # gunicorn has 4 threads a CPU unless THREADS says otherwise: more requests than that would queue.
  environment+="@SHARE_ORIGIN=$SHARE_ORIGIN@THREADS=$concurrency"
  # The function itself verifies its caller's token, which Google's front end would not know.
  flags=(--trigger-http --allow-unauthenticated)
  [[ $trigger == http ]] || flags=("--trigger-topic=$JOB_DELETED_TOPIC" --retry)
  run functions deploy "$name" --gen2 "--region=$REGION" --runtime=python311 "--source=build/$name" \
    "--entry-point=$name" "--memory=$memory" "--cpu=$cpu" "--concurrency=$concurrency" "--timeout=$timeout" \
    "--max-instances=$MAX_INSTANCES" "--service-account=$email" "--set-env-vars=$environment" "${flags[@]}"
  [[ $trigger == http ]] || deliver "$name" "$email"
}

deliver() { # FUNCTION EMAIL: let its events in, and keep those that it cannot process
  # Events are pushed in the name of the function's account, and a deploy does not allow that one to call it.
  run functions add-invoker-policy-binding "$1" "--region=$REGION" "--member=serviceAccount:$2" --format=none
  ask FUNCTION_TRIGGER functions describe "$1" --gen2 "--region=$REGION" '--format=value(eventTrigger.trigger)'
  ask TRIGGER_SUBSCRIPTION eventarc triggers describe "$answer" "--location=$REGION" \
    '--format=value(transport.pubsub.subscription)'
  # It is Pub/Sub that moves a dead letter: https://cloud.google.com/pubsub/docs/handling-failures
  local agent="--member=serviceAccount:service-$project_number@gcp-sa-pubsub.iam.gserviceaccount.com"
  run pubsub topics add-iam-policy-binding "$dead_letters" "$agent" --role=roles/pubsub.publisher --format=none
  run pubsub subscriptions add-iam-policy-binding "$answer" "$agent" --role=roles/pubsub.subscriber --format=none
  # An attempt may take as long as the function's timeout; five of them span some quarter of an hour.
  run pubsub subscriptions update "$answer" "--dead-letter-topic=$dead_letters" --max-delivery-attempts=5 \
    --min-retry-delay=60s --max-retry-delay=600s --ack-deadline=600
}

dry_run=0 by_flag='' CONFIG=''
# Nothing comes in from the caller's environment.
while read -r name _; do printf -v "$name" ''; done < <(rows "$SETTINGS")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read_flags "$@"
[[ -n $CONFIG || ! -e $root/.env ]] || CONFIG=$root/.env
[[ -z $CONFIG ]] || read_config "$CONFIG"
check_settings
command -v python3 >/dev/null || fail 'python3 is not installed: it stages the functions'
((dry_run)) || command -v gcloud >/dev/null ||
  fail 'gcloud is not installed: see https://cloud.google.com/sdk/docs/install'

cd "$root"
indexes=$(python3 -c '
import json
for index in json.load(open("infra/cloud/firestore.indexes.json"))["indexes"]:
    print("--collection-group=" + index["collectionGroup"], "--query-scope=" + index["queryScope"].lower(), end="")
    for field in index["fields"]:
        print(" --field-config=field-path=" + field["fieldPath"] + ",order=" + field["order"].lower(), end="")
    print()
')
((dry_run)) || while read -r name _; do python3 -m infra.stage "$name" "build/$name" >&2; done < <(rows "$FUNCTIONS")

ask PROJECT_NUMBER projects describe "$PROJECT" '--format=value(projectNumber)'
project_number=$answer
run services enable "${SERVICES[@]/%/.googleapis.com}"
# The accounts before all else: a new one can be given roles only after some seconds.
while read -r name _ _ _ _ _ account; do
  create iam service-accounts create "$account" "--display-name=Function $name"
done < <(rows "$FUNCTIONS")
dead_letters=$JOB_DELETED_TOPIC-dead-letters
create pubsub topics create "$JOB_DELETED_TOPIC"
create pubsub topics create "$dead_letters"
create pubsub subscriptions create "$dead_letters" "--topic=$dead_letters" --message-retention-duration=7d \
  --expiration-period=never
while read -ra row; do create firestore indexes composite create "${row[@]}" --async; done <<<"$indexes"
while read -ra row; do grant "${row[@]}"; done < <(rows "$ROLES")
while read -ra row; do deploy "${row[@]}"; done < <(rows "$FUNCTIONS")
