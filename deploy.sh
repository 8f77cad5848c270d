#!/usr/bin/env bash
# Deploys NuuMee Jobs: what the functions need, then the functions. Can be run again at any time.
set -euo pipefail
LC_ALL=C # so that a-z means just that

# What decodes uploads writes pictures alone: https://cloud.google.com/iam/docs/conditions-resource-attributes
PICTURES_ONLY='title=pictures,expression=resource.name.endsWith("/poster.webp")||resource.name.endsWith("/preview.mp4")'

SERVICES=(artifactregistry cloudbuild cloudfunctions cloudresourcemanager cloudscheduler eventarc firestore iam
  iamcredentials identitytoolkit monitoring pubsub run secretmanager storage)
SIGNER=url-signer # the account whose permission signed URLs carry
SIGNING_SECRET=url-signing-key

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$root/infra/cloud/settings.sh"

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

look() { # PLACEHOLDER WORD...: sets answer to what the cloud says, in a dry run to PLACEHOLDER
  answer=$1
  set -- "${@:2}" "--project=$PROJECT" --quiet
  show "$@"
  ((dry_run)) || answer=$(gcloud "$@" </dev/null)
}

ask() { # PLACEHOLDER WORD...: as look, where the cloud must have something to say
  look "$@"
  [[ -n $answer ]] || fail "there is no answer yet to gcloud ${*:2}: run deploy.sh again in a minute"
}

grant() { # a row of ROLES, and on a bucket perhaps a condition
  local email=$1@$PROJECT.iam.gserviceaccount.com bucket topic
  local binding=("--member=serviceAccount:$email" "--role=$3" --format=none)
  case $2 in
    project) run projects add-iam-policy-binding "$PROJECT" "${binding[@]}" --condition=None ;;
    *_TOPIC) run pubsub topics add-iam-policy-binding "${!2}" "${binding[@]}" ;;
    dead-letters)
      for topic in $RETRIED_TOPICS; do
        run pubsub subscriptions add-iam-policy-binding "${!topic}-dead-letters" "${binding[@]}"
      done
      ;;
    buckets) for bucket in "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET"; do grant "$1" "gs://$bucket" "$3"; done ;;
    outputs) grant "$1" "gs://$OUTPUTS_BUCKET" "$3" ;;
    pictures) for bucket in "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET"; do grant "$1" "gs://$bucket" "$3" "$PICTURES_ONLY"; done ;;
    gs://*) run storage buckets add-iam-policy-binding "$2" "${binding[@]}" "--condition=${4:-None}" ;;
    *) fail "ROLES has $2, which is nothing to grant a role on" ;;
  esac
}

make_signing_key() { # once: an account that may only read the buckets, and its key in Secret Manager
  local email=$SIGNER@$PROJECT.iam.gserviceaccount.com key problem
  create secrets create "$SIGNING_SECRET" --replication-policy=automatic
  grant "$SIGNER" buckets roles/storage.legacyObjectReader # unlike objectViewer it lists no names
  local versions=(secrets versions list "$SIGNING_SECRET" --filter=state=enabled)
  versions+=(--limit=1 '--format=value(name)')
  look '' "${versions[@]}"
  [[ -z $answer ]] || return 0
  local made=(storage hmac create "$email" '--format=value[separator=":"](metadata.accessId,secret)')
  local kept=(secrets versions add "$SIGNING_SECRET" --data-file=-)
  made+=("--project=$PROJECT" --quiet) kept+=("--project=$PROJECT" --quiet)
  show "${made[@]}"
  show "${kept[@]}"
  ((!dry_run)) || return 0
  # The key is on no command line and in no output. gcloud would write it to a log file of its own.
  key=$(CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1 gcloud "${made[@]}" </dev/null)
  problem="gcloud made no HMAC key for $email that can be kept"
  if [[ $key =~ ^[A-Za-z0-9]+:[[:graph:]]+$ ]]; then
    ! printf %s "$key" | gcloud "${kept[@]}" || return 0
    look '' "${versions[@]}" || true
    [[ -z $answer ]] || return 0 # it was kept, and only the answer was lost
    problem="the HMAC key of $email could not be kept in the secret $SIGNING_SECRET"
  fi
  delete_key "${key%%:*}" ||
    problem+=", and may still be there: see gcloud storage hmac list --service-account=$email"
  fail "$problem"
}

delete_key() { # ACCESS_ID
  [[ $1 =~ ^GOOG[A-Z0-9]+$ ]] && run storage hmac update "$1" --deactivate && run storage hmac delete "$1"
}

allow_signing() { # ACCOUNT
  local email=$1@$PROJECT.iam.gserviceaccount.com on=(secrets add-iam-policy-binding "$SIGNING_SECRET")
  local role=roles/secretmanager.secretAccessor
  if [[ $SIGNING == keyless ]]; then
    on=(iam service-accounts add-iam-policy-binding "$email") role=roles/iam.serviceAccountTokenCreator
  fi
  run "${on[@]}" "--member=serviceAccount:$email" "--role=$role" --format=none --condition=None
}

forbid_signing() { # ACCOUNT: take away the role that earlier versions and SIGNING=keyless grant
  local email=$1@$PROJECT.iam.gserviceaccount.com role=roles/iam.serviceAccountTokenCreator
  look '' iam service-accounts get-iam-policy "$email" '--flatten=bindings[].members' \
    "--filter=bindings.role=$role AND bindings.members=serviceAccount:$email" '--format=value(bindings.members)'
  [[ -z $answer ]] || run iam service-accounts remove-iam-policy-binding "$email" \
    "--member=serviceAccount:$email" "--role=$role" --format=none --all # under whatever conditions
}

deploy() { # a row of FUNCTIONS
  local name=$1 email=$2@$PROJECT.iam.gserviceaccount.com trigger=$3 retry=$4 public=$5 signs=$6
  local memory=$7 cpu=$8 concurrency=$9 threads=${10} timeout=${11}
  local environment flags
  # The origins hold commas, so @ separates the variables: see gcloud topic escaping.
  environment="^@^GOOGLE_CLOUD_PROJECT=$PROJECT@ALLOWED_ORIGINS=$ALLOWED_ORIGINS@IMAGES_BUCKET=$IMAGES_BUCKET"
  environment+="@VIDEOS_BUCKET=$VIDEOS_BUCKET@OUTPUTS_BUCKET=$OUTPUTS_BUCKET@JOB_DELETED_TOPIC=$JOB_DELETED_TOPIC"
  environment+="@OBJECT_FINALIZED_TOPIC=$OBJECT_FINALIZED_TOPIC@SHARE_ORIGIN=$SHARE_ORIGIN"
  environment+="@SHORT_ID_LENGTH=$SHORT_ID_LENGTH@FORWARDED_HOPS=$FORWARDED_HOPS"
  environment+="@REQUESTS_PER_MINUTE=$REQUESTS_PER_MINUTE"
  environment+="@SIGNING=$SIGNING@THREADS=$threads"
  # The function itself verifies its caller's token, which Google's front end would not know, or wants none.
  flags=(--trigger-http --allow-unauthenticated)
  [[ $trigger == HTTP ]] || flags=("--trigger-topic=${!trigger}")
  [[ $retry != True ]] || flags+=(--retry)
  if [[ $signs == True ]]; then
    if [[ $SIGNING == key ]]; then
      flags+=("--set-secrets=SIGNING_KEY=$SIGNING_SECRET:latest")
    else
      flags+=(--clear-secrets) # of a deployment with a key
    fi
  fi
  if [[ $public == True ]]; then
    # Behind a load balancer nobody may go round it: they could write X-Forwarded-For themselves.
    if ((FORWARDED_HOPS == 2)); then
      flags+=(--ingress-settings=internal-and-gclb)
    else
      flags+=(--ingress-settings=all)
    fi
  fi
  run functions deploy "$name" --gen2 "--region=$REGION" --runtime=python311 "--source=build/$name" \
    "--entry-point=$name" "--memory=$memory" "--cpu=$cpu" "--concurrency=$concurrency" "--timeout=$timeout" \
    "--max-instances=$MAX_INSTANCES" "--service-account=$email" "--set-env-vars=$environment" "${flags[@]}"
  # Events are pushed in the name of the function's account, and a deploy does not allow that one to call it.
  [[ $trigger == HTTP ]] || run functions add-invoker-policy-binding "$name" "--region=$REGION" \
    "--member=serviceAccount:$email" --format=none
  [[ $trigger == HTTP ]] || deliver "$name" "$retry" "${!trigger}-dead-letters"
}

deliver() { # FUNCTION RETRY TOPIC: wait for it as long as it may take; what it fails to process goes to TOPIC
  ask "TRIGGER_OF_$1" functions describe "$1" --gen2 "--region=$REGION" '--format=value(eventTrigger.trigger)'
  ask "SUBSCRIPTION_OF_$1" eventarc triggers describe "$answer" "--location=$REGION" \
    '--format=value(transport.pubsub.subscription)'
  run pubsub subscriptions update "$answer" "--ack-deadline=$ACK_DEADLINE"
  [[ $2 == True ]] || return 0
  # It is Pub/Sub that moves a dead letter: https://cloud.google.com/pubsub/docs/handling-failures
  local agent="--member=serviceAccount:service-$project_number@gcp-sa-pubsub.iam.gserviceaccount.com"
  run pubsub topics add-iam-policy-binding "$3" "$agent" --role=roles/pubsub.publisher --format=none
  run pubsub subscriptions add-iam-policy-binding "$answer" "$agent" --role=roles/pubsub.subscriber --format=none
  run pubsub subscriptions update "$answer" "--dead-letter-topic=$3" "--max-delivery-attempts=$ATTEMPTS" \
    --min-retry-delay=60s --max-retry-delay=600s
}

notify() { # BUCKET: have it tell of new objects, unless it does: two configurations send two messages each time
  local topic=projects/$PROJECT/topics/$OBJECT_FINALIZED_TOPIC
  look '' storage buckets notifications list "gs://$1" --format=json
  # This also lets Cloud Storage publish to the topic.
  [[ $answer == *"/$topic\""* ]] || run storage buckets notifications create "gs://$1" "--topic=$topic" \
    --event-types=OBJECT_FINALIZE --payload-format=json
}

alert() { # FILE NAME: make the policy in FILE if there is none called NAME. gcloud would make a second one.
  local policy name there='' channels=${ALERT_CHANNELS/#none/}
  while IFS=$'\t' read -r policy name; do [[ $name != "$2" ]] || there=$policy; done <<<"$policies"
  if [[ -z $there ]]; then
    run alpha monitoring policies create "--policy-from-file=$1" ${channels:+"--notification-channels=$channels"}
  elif [[ -n $channels ]]; then
    run alpha monitoring policies update "$there" "--set-notification-channels=$channels"
  fi
}

dry_run=0 by_flag='' CONFIG=''
# Nothing comes in from the caller's environment.
while read -r name _; do printf -v "$name" ''; done < <(rows "$SETTINGS")
read_flags "$@"
[[ -n $CONFIG || ! -e $root/.env ]] || CONFIG=$root/.env
[[ -z $CONFIG ]] || read_config "$CONFIG"
command -v python3 >/dev/null || fail 'python3 is not installed: it reads the table of functions and stages them'
cd "$root"
table=$(python3 -B -m infra.functions)
eval "$table"
check_settings
((dry_run)) || command -v gcloud >/dev/null ||
  fail 'gcloud is not installed: see https://cloud.google.com/sdk/docs/install'

indexes=$(python3 -c '
import json
for index in json.load(open("infra/cloud/firestore.indexes.json"))["indexes"]:
    print("--collection-group=" + index["collectionGroup"], "--query-scope=" + index["queryScope"].lower(), end="")
    for field in index["fields"]:
        print(" --field-config=field-path=" + field["fieldPath"] + ",order=" + field["order"].lower(), end="")
    print()
')
alerts=$(python3 -c '
import glob, json
for file in sorted(glob.glob("infra/cloud/alerts/*.json")):
    print(file, json.load(open(file))["displayName"])
')
((dry_run)) || python3 -m infra.stage build >&2

ask PROJECT_NUMBER projects describe "$PROJECT" '--format=value(projectNumber)'
project_number=$answer
for name in "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET"; do
  look True storage buckets describe "gs://$name" '--format=value(uniform_bucket_level_access)'
  [[ $answer == True ]] || fail "gs://$name has no uniform bucket-level access, which conditions on roles need"
done
run services enable "${SERVICES[@]/%/.googleapis.com}"
# The accounts before all else: a new one can be given roles only after some seconds.
while read -r name account _; do
  create iam service-accounts create "$account" "--display-name=Function $name"
done < <(rows "$FUNCTIONS")
[[ $SIGNING == keyless ]] || create iam service-accounts create "$SIGNER" '--display-name=Signs URLs of media'
create pubsub topics create "$EVERY_MINUTE_TOPIC"
for topic in $RETRIED_TOPICS; do
  name=${!topic} deadline=--ack-deadline=$DEAD_LETTERS_ACK_DEADLINE
  create pubsub topics create "$name"
  create pubsub topics create "$name-dead-letters"
  create pubsub subscriptions create "$name-dead-letters" "--topic=$name-dead-letters" "$deadline" \
    --message-retention-duration=7d --expiration-period=never
  run pubsub subscriptions update "$name-dead-letters" "$deadline" # one that was there has its own
done
# What could not be replayed is kept for some time: see KEPT_FOR in functions/sweep_purges.py.
run firestore fields ttls update expire_at --collection-group=dead_letters --enable-ttl --async
while read -ra row; do create firestore indexes composite create "${row[@]}" --async; done <<<"$indexes"
[[ $SIGNING == keyless ]] || make_signing_key
while read -r _ account _ _ _ signs _; do
  [[ $signs != True ]] || allow_signing "$account"
done < <(rows "$FUNCTIONS")
while read -ra row; do grant "${row[@]}"; done < <(rows "$ROLES")
while read -ra row; do deploy "${row[@]}"; done < <(rows "$FUNCTIONS")
# Only now, because what was deployed before may sign with this role.
[[ $SIGNING == keyless ]] || while read -r _ account _ _ _ signs _; do
  [[ $signs != True ]] || forbid_signing "$account"
done < <(rows "$FUNCTIONS")
# What makes events comes after what consumes them.
for name in "$IMAGES_BUCKET" "$VIDEOS_BUCKET" "$OUTPUTS_BUCKET"; do notify "$name"; done
create scheduler jobs create pubsub "$EVERY_MINUTE_TOPIC" "--location=$REGION" '--schedule=* * * * *' \
  "--topic=projects/$PROJECT/topics/$EVERY_MINUTE_TOPIC" '--message-body={}'
look '' alpha monitoring policies list '--format=value(name,displayName)'
policies=$answer
while read -r name what; do alert "$name" "$what"; done <<<"$alerts"
