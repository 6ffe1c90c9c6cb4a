from django.urls import path, register_converter
from django.urls.converters import StringConverter

from credentials.views import employer, holder, log, machine, officer, public


class KeyName(StringConverter):
    regex = r"[a-z]+-\d{4}-\d{2}(?:-\d+)?"


class FileForm(StringConverter):
    regex = r"json|jwt|png|svg|pdf"


class TileName(StringConverter):
    regex = r"[0-9a-z/.]{1,60}"


register_converter(TileName, "tilename")
register_converter(KeyName, "keyname")
register_converter(FileForm, "fileform")

app_name = "credentials"
urlpatterns = [
    path("credentials/<uuid:number>", public.credential, name="credential"),
    path("credentials/<uuid:number>.<fileform:form>", public.credential_file, name="file"),
    path("credentials/<uuid:number>.tlog-proof", log.credential_proof, name="tlog-proof"),
    path("credentials/<uuid:number>/badge.svg", employer.live_badge, name="live-badge"),
    path("credentials/<uuid:number>/watch/", employer.watch, name="watch"),
    path("employers/keys/", employer.api_keys, name="api-keys"),
    path("employers/keys/<int:key_id>/end/", employer.end_api_key, name="end-api-key"),
    path("employers/watching/", employer.watches, name="watches"),
    path("employers/watching/<uuid:watch_id>/end/", employer.end_watch, name="end-watch"),
    path("log/", log.page, name="log"),
    path("log/checkpoint", log.checkpoint, name="log-checkpoint"),
    path("log/tile/<tilename:path>", log.tile, name="log-tile"),
    path("verify/", public.look_up, name="verify"),
    path("verify/list/", public.check_list, name="check-list"),
    path("verify/file/", public.check_file, name="check-file"),
    path("achievements/<slug:slug>/v<int:version>", public.achievement, name="achievement"),
    path("achievements/<slug:slug>/v<int:version>/criteria", public.criteria, name="criteria"),
    path(
        "achievements/<slug:slug>/v<int:version>/image.png",
        machine.achievement_image,
        name="achievement-image",
    ),
    path("evidence/<uuid:number>", public.evidence, name="evidence"),
    path("issuers/<slug:issuer_slug>", public.issuer, name="issuer"),
    path("issuer/seal.png", machine.seal_image, name="seal"),
    path(".well-known/did.json", machine.did, name="did"),
    path(".well-known/jwks.json", machine.jwks, name="jwks"),
    path("keys/<keyname:kid>", machine.key, name="key"),
    path("status/revocation/<int:number>", machine.status_list, name="status-list"),
    path("record/", holder.record, name="record"),
    path("record/transcript/", holder.transcript, name="transcript"),
    path("record/<uuid:number>/name/", holder.name, name="record-name"),
    path("officer/credentials/", officer.overview, name="officer"),
    path("officer/credentials/<uuid:number>/", officer.credential, name="officer-credential"),
    path("officer/credentials/<uuid:number>/revoke/", officer.revoke, name="officer-revoke"),
    path(
        "officer/credentials/<uuid:number>/reinstate/",
        officer.reinstate,
        name="officer-reinstate",
    ),
    path("officer/proposals/<int:row>/", officer.proposal, name="officer-proposal"),
    path("officer/keys/", officer.signing_keys, name="officer-keys"),
]
