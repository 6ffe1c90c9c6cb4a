from django.urls import path

from courses import learner_views, model_views, studio_views, trust_views, views, workbench

app_name = "courses"
urlpatterns = [
    path("today/", views.today, name="today"),
    path("today/proved/", views.proved, name="proved"),
    path("review/", learner_views.review, name="review"),
    path("review/<int:card_id>/", learner_views.answer_review, name="answer-review"),
    path("notes/", learner_views.all_notes, name="notes"),
    path("notes/put-back/", learner_views.put_note_back, name="put-note-back"),
    path("notes/<int:note_id>/", learner_views.change_note, name="note"),
    path("bookmarks/", learner_views.bookmark, name="bookmark"),
    path("search/", learner_views.find, name="search"),
    path("placement/", learner_views.where_to_begin, name="placement"),
    path("tracks/", views.tracks, name="tracks"),
    path("tracks/<slug:track_id>/", views.track, name="track"),
    path("framework/", views.framework, name="framework"),
    path("framework.json", views.framework_json, name="framework-json"),
    path("framework/case.json", views.framework_case, name="framework-case"),
    path("framework/<slug:code>/", views.competency, name="competency"),
    path("courses/", views.courses, name="courses"),
    path("courses/<slug:course_id>/", views.course, name="course"),
    path("courses/<slug:course_id>/lessons/<slug:lesson_id>/", views.lesson, name="lesson"),
    path(
        "courses/<slug:course_id>/lessons/<slug:lesson_id>/notes/",
        learner_views.write_note,
        name="write-note",
    ),
    path(
        "courses/<slug:course_id>/lessons/<slug:lesson_id>/reading/",
        learner_views.note_reading,
        name="note-reading",
    ),
    path("courses/<slug:course_id>/summary/", learner_views.sheet, name="sheet"),
    path("glossary/", views.glossary, name="glossary"),
    path("practice/", views.practice, name="practice"),
    path("studio/", studio_views.processes, name="studio"),
    path("studio/shared/<str:key>/", studio_views.shared, name="process-shared"),
    path("studio/<uuid:process_id>/", studio_views.process, name="process"),
    path("studio/<uuid:process_id>/world/", studio_views.world, name="process-world"),
    path(
        "studio/<uuid:process_id>/maps/<int:number>/",
        studio_views.process_map,
        name="process-map",
    ),
    *(
        path(f"studio/<uuid:process_id>/maps/<int:number>/{name}/", view, name=f"process-{name}")
        for name, view in (
            ("edit", studio_views.edit),
            ("commands", studio_views.commands),
            ("draft", studio_views.draft),
            ("read", studio_views.read),
            ("run", studio_views.run),
            ("maps", studio_views.change_maps),
        )
    ),
    path(
        "studio/<uuid:process_id>/maps/<int:number>/files/<slug:form>",
        studio_views.file,
        name="process-file",
    ),
    path("exercises/<slug:exercise_id>/", workbench.exercise, name="exercise"),
    path("exercises/<slug:exercise_id>/read/", workbench.read, name="read"),
    path("exercises/<slug:exercise_id>/draft/", workbench.draft, name="draft"),
    path("exercises/<slug:exercise_id>/run/", workbench.run, name="run"),
    path("exercises/<slug:exercise_id>/edit/", workbench.edit_map, name="map-edit"),
    path("exercises/<slug:exercise_id>/commands/", workbench.map_commands, name="map-commands"),
    path("exercises/<slug:exercise_id>/map.bpmn", workbench.map_bpmn, name="map-bpmn"),
    path("exercises/<slug:exercise_id>/import/", workbench.import_map, name="import"),
    path(
        "exercises/<slug:exercise_id>/put-back/<int:number>/", workbench.put_back, name="put-back"
    ),
    path("exercises/<slug:exercise_id>/trust/", trust_views.trust, name="trust"),
    path("model/", model_views.operator, name="model-operator"),
    path(
        "exercises/<slug:exercise_id>/runs/<int:number>/model/",
        model_views.model_run,
        name="model-run",
    ),
    path("unsure-readings/", trust_views.unsure, name="unsure"),
    path("unsure-readings/<int:reading_id>/", trust_views.decide, name="decide"),
    path("exercises/<slug:exercise_id>/hint/", workbench.hint, name="hint"),
    path("exercises/<slug:exercise_id>/versions/", workbench.versions, name="versions"),
    path("exercises/<slug:exercise_id>/runs/<int:number>/", workbench.result, name="result"),
]
