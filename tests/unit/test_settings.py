from __future__ import annotations

from datetime import timedelta

import pytest

from shared.settings import EMULATOR_VARIABLES, Settings, SettingsError, SigningKey

LEAST = {"GOOGLE_CLOUD_PROJECT": "nuumee", "ALLOWED_ORIGINS": "https://nuumee.ai, http://localhost:3000/"}


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = Settings.from_environment(LEAST)
    assert settings.buckets == ("nuumee-images", "nuumee-videos", "nuumee-outputs")
    assert settings.allowed_origins == ("https://nuumee.ai", "http://localhost:3000")
    assert (settings.job_deleted_topic, settings.share_origin) == ("job-deleted", "https://nuumee.ai")
    assert (settings.job_restored_topic, settings.longest_run) == ("job-restored", timedelta(seconds=300))
    assert settings.jobs_erased_topic == "jobs-erased"


def test_every_setting_is_read_from_its_variable() -> None:
    given = {
        "IMAGES_BUCKET": "i",
        "VIDEOS_BUCKET": "v",
        "OUTPUTS_BUCKET": "o",
        "JOB_DELETED_TOPIC": "gone",
        "JOB_RESTORED_TOPIC": "back",
        "JOBS_ERASED_TOPIC": "all",
        "LONGEST_RUN": "20",
        "SHARE_ORIGIN": "https://share.test/",
        "SHORT_ID_LENGTH": "16",
        "FORWARDED_HOPS": "2",
        "REQUESTS_PER_MINUTE": "50",
        "SIGNING_KEY": "GOOG1EKEY:se/cr+et:=\n",
        "SIGNING": "keyless",
        "PATIENCE": "4",
        "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
        "K_REVISION": "list-jobs-00007-abc",
    }
    settings = Settings.from_environment({**LEAST, **given})
    assert settings.buckets == ("i", "v", "o")
    assert settings.revision == "list-jobs-00007-abc"
    assert (settings.job_deleted_topic, settings.share_origin) == ("gone", "https://share.test")
    assert (settings.job_restored_topic, settings.longest_run) == ("back", timedelta(seconds=20))
    assert settings.jobs_erased_topic == "all"
    assert (settings.short_id_length, settings.forwarded_hops, settings.requests_per_minute) == (16, 2, 50)
    assert (settings.signing_key, settings.keyless) == (SigningKey("GOOG1EKEY", "se/cr+et:="), True)
    assert settings.patience == 4
    assert settings.storage_emulator == "http://127.0.0.1:1"


@pytest.mark.parametrize("name", ["GOOGLE_CLOUD_PROJECT", "ALLOWED_ORIGINS"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in {**LEAST, name: value}.items() if text is not None}
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_environment(environment)


def test_a_bucket_that_is_set_to_nothing_is_named_rather_than_taken_for_the_default() -> None:
    with pytest.raises(SettingsError, match="OUTPUTS_BUCKET is not set"):
        Settings.from_environment({**LEAST, "OUTPUTS_BUCKET": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("SHORT_ID_LENGTH", "4"), ("FORWARDED_HOPS", "0"), ("FORWARDED_HOPS", "x")),
        *(("REQUESTS_PER_MINUTE", "0"), ("REQUESTS_PER_MINUTE", "1.5"), ("SWEEP_AFTER", "0")),
        *(("PATIENCE", "0"), ("PATIENCE", "101")),
    ],
)
def test_a_number_out_of_its_choices_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**LEAST, name: value})


def test_by_default_a_key_signs_and_without_one_nothing_does() -> None:
    Settings.from_environment({**LEAST, "SIGNING_KEY": "GOOG1EKEY:secret"}).check_signing()
    Settings.from_environment({**LEAST, "SIGNING": "keyless"}).check_signing()
    for environment in (LEAST, {**LEAST, "SIGNING": "key"}, {**LEAST, "SIGNING_KEY": " "}):
        with pytest.raises(SettingsError, match="SIGNING_KEY is not set"):
            Settings.from_environment(environment).check_signing()


@pytest.mark.parametrize("value", ["yes", ""])
def test_another_way_of_signing_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="SIGNING"):
        Settings.from_environment({**LEAST, "SIGNING": value})


@pytest.mark.parametrize("value", ["hushhush", ":hushhush", "GOOG1E:", "GOOG1E KEY:hushhush", "GOOG1E:hush\nhush"])
def test_a_signing_key_of_another_form_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="SIGNING_KEY is not of the form ACCESS_ID:SECRET") as refused:
        Settings.from_environment({**LEAST, "SIGNING_KEY": value})
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is refused.value.__context__ is None


def test_the_secret_of_the_key_shows_in_no_text_of_the_settings() -> None:
    settings = Settings.from_environment({**LEAST, "SIGNING_KEY": "GOOG1EKEY:hushhush"})
    assert "GOOG1EKEY" in repr(settings)
    assert "hushhush" not in f"{settings!r} {settings} {settings.signing_key!r} {settings.signing_key}"


def test_two_media_in_one_bucket_are_refused() -> None:
    with pytest.raises(SettingsError, match="three buckets"):
        Settings.from_environment({**LEAST, "IMAGES_BUCKET": "nuumee-outputs"})


@pytest.mark.parametrize(
    "origin", ["*", "nuumee.ai", "https://", "https://*.nuumee.ai", "https://nuumee.ai/jobs", "null"]
)
def test_what_is_no_origin_is_refused_and_shown(origin: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_ORIGINS"):
        Settings.from_environment({**LEAST, "ALLOWED_ORIGINS": f"https://nuumee.ai,{origin}"})


@pytest.mark.parametrize("origin", ["https://NuuMee.ai", "https://nuumee.ai:443", "http://localhost:80/"])
def test_an_origin_that_no_browser_would_send_so_is_refused_and_shown(origin: str) -> None:
    with pytest.raises(SettingsError, match=f"{origin.rstrip('/')}', which is no origin in lower case"):
        Settings.from_environment({**LEAST, "ALLOWED_ORIGINS": f"https://a.example,{origin}"})


def test_the_default_port_of_the_other_scheme_is_like_any_port() -> None:
    origins = "https://nuumee.ai:80,http://nuumee.ai:443,https://nuumee.ai:4430,http://nuumee.ai:8000"
    settings = Settings.from_environment({**LEAST, "ALLOWED_ORIGINS": origins})
    assert settings.allowed_origins == tuple(origins.split(","))


def test_an_origin_may_be_an_address() -> None:
    origins = "http://127.0.0.1:3000,http://[::1]:3000,https://[2001:db8::7]"
    settings = Settings.from_environment({**LEAST, "ALLOWED_ORIGINS": origins})
    assert settings.allowed_origins == tuple(origins.split(","))


@pytest.mark.parametrize(
    "origin", ["http://[::A]", "http://[::1]:80", "http://[]", "http://[1]", "http://[:]", "http://::1"]
)
def test_an_address_that_no_browser_would_send_so_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_ORIGINS"):
        Settings.from_environment({**LEAST, "ALLOWED_ORIGINS": origin})


@pytest.mark.parametrize("name", EMULATOR_VARIABLES)
def test_a_deployed_function_refuses_to_run_on_an_emulator(name: str) -> None:
    environment = {**LEAST, name: "127.0.0.1:9099"}
    assert Settings.from_environment(environment).project == "nuumee"
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**environment, "K_SERVICE": "list-jobs"})


def test_a_service_on_cloud_run_knows_that_it_is_one() -> None:
    assert Settings.from_environment({**LEAST, "K_SERVICE": "make-posters"}).is_deployed
    # The local cloud names its functions' revisions too.
    assert not Settings.from_environment({**LEAST, "K_REVISION": "make-posters-1"}).is_deployed
