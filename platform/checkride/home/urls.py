from django.urls import path

from checkride.home import views

app_name = "home"
urlpatterns = [
    path("", views.home, name="home"),
    path("employers/", views.employers, name="employers"),
    path("instructors/", views.instructors, name="instructors"),
    path("how-grading-works/", views.how_grading_works, name="how-grading-works"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("privacy/", views.privacy, name="privacy"),
    path("styleguide/", views.styleguide, name="styleguide"),
]
